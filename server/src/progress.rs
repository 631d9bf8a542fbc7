//! Bars on stderr for what takes a while; silent where nobody looks.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar with the number done, the rate and the time left. With a total of 0 the end is not known.
pub fn bar(what: &str, total: u64) -> ProgressBar {
    let bar = if total == 0 {
        ProgressBar::no_length()
    } else {
        ProgressBar::new(total)
    };
    bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
    let template = if total == 0 {
        "{msg} {human_pos}  {per_sec}  {elapsed}"
    } else {
        "{msg} [{bar:30}] {human_pos}/{human_len}  {per_sec}  剩余 {eta}"
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("█▉ "));
    }
    bar.set_message(what.to_owned());
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
