# What up, down and status have in common: where things are, and who is alive. Read with `.`, never run.
# shellcheck shell=sh disable=SC2034

: "${ZHULU_CLUSTER_DIR:=data/cluster}"
: "${ZHULU_CLUSTER_PORT:=8080}"
: "${ZHULU_CLUSTER_LANES:=4}"

# One port after the other, so that several clusters fit on a machine.
port_of() {
    case $1 in
        proxy) echo "$ZHULU_CLUSTER_PORT" ;;
        api1) echo $((ZHULU_CLUSTER_PORT + 1)) ;;
        api2) echo $((ZHULU_CLUSTER_PORT + 2)) ;;
        project1) echo $((ZHULU_CLUSTER_PORT + 3)) ;;
        project2) echo $((ZHULU_CLUSTER_PORT + 4)) ;;
        react1) echo $((ZHULU_CLUSTER_PORT + 5)) ;;
        react2) echo $((ZHULU_CLUSTER_PORT + 6)) ;;
        postgres) echo $((ZHULU_CLUSTER_PORT + 7)) ;;
        store) echo $((ZHULU_CLUSTER_PORT + 8)) ;;
    esac
}

# In the order in which they start; they stop the other way round.
all_parts="postgres store project1 project2 react1 react2 api1 api2 proxy"
# How long a part may take until it is ready, and until it has stopped.
seconds_to_start=120
seconds_to_stop=40

say() { printf '%s\n' "$*"; }
fail() {
    printf '错误 / error: %s\n' "$*" >&2
    exit 1
}

mkdir -p "$ZHULU_CLUSTER_DIR"
cluster=$(cd "$ZHULU_CLUSTER_DIR" && pwd)
mkdir -p "$cluster/run" "$cluster/log"
chmod 711 "$cluster"
chmod 700 "$cluster/log"

pid_of() {
    case $1 in
        postgres) sed -n 1p "$cluster/postgres/postmaster.pid" 2>/dev/null ;;
        *) cat "$cluster/run/$1.pid" 2>/dev/null ;;
    esac
}

# Whether a part's process is there: a process of that number that is not somebody else's by now.
is_alive() {
    pid=$(pid_of "$1")
    [ -n "$pid" ] && [ -r "/proc/$pid/stat" ] || return 1
    case $(sed 's/.*) //; s/ .*//' "/proc/$pid/stat" 2>/dev/null) in Z | X | '') return 1 ;; esac
    case $1 in
        postgres) tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q postgres ;;
        proxy) tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q haproxy ;;
        *) tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q "$cluster/$1" ;;
    esac
}

# The program: named, built here, or installed.
find_zhulu() {
    here=$(cd "$(dirname "$0")/../.." && pwd)
    for program in "${ZHULU_BIN:-}" "$here/target/release/zhulu" "$(command -v zhulu || true)"; do
        if [ -n "$program" ] && [ -x "$program" ]; then
            zhulu=$program
            return
        fi
    done
    fail "找不到 zhulu；先 cargo build --release -p server --bin zhulu，或用 ZHULU_BIN 指明 / there is no zhulu: build it, or name it with ZHULU_BIN"
}

# The newest PostgreSQL of this machine.
find_postgres() {
    postgres_bin=${ZHULU_PG_BIN:-}
    [ -n "$postgres_bin" ] && return
    for version in 18 17 16 15 14; do
        if [ -x "/usr/lib/postgresql/$version/bin/initdb" ]; then
            postgres_bin=/usr/lib/postgresql/$version/bin
            return
        fi
    done
    fail "找不到 PostgreSQL / there is no PostgreSQL here"
}

# PostgreSQL refuses to run as root; then it runs as its own account.
as_postgres() {
    if [ "$(id -u)" -eq 0 ]; then
        runuser -u "${ZHULU_PG_USER:-postgres}" -- "$@"
    else
        "$@"
    fi
}
