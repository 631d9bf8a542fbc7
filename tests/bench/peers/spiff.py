"""SpiffWorkflow: `python spiff.py MODEL SECONDS` prints how many instances it carries from start to end in a second.

The model is parsed once, and each user task is run as soon as it is ready, as its documentation does.
"""

import sys
import time

from SpiffWorkflow import TaskState
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow

TASKS = 5


def instance(spec):
    """Carries one instance from its start to its end."""
    workflow = BpmnWorkflow(spec)
    start = workflow.get_next_task(state=TaskState.READY)
    start.set_data(floor_area=2500, kind="住宅")
    workflow.do_engine_steps()
    finished = 0
    while not workflow.completed:
        task = workflow.get_next_task(state=TaskState.READY, manual=True)
        task.run()
        workflow.do_engine_steps()
        finished += 1
    if finished != TASKS:
        raise RuntimeError(f"{finished} tasks were finished instead of {TASKS}")


def main():
    """Measures and prints."""
    model, seconds = sys.argv[1], float(sys.argv[2])
    parser = BpmnParser()
    parser.add_bpmn_file(model)
    spec = parser.get_spec("permit")
    begin = time.perf_counter()
    instances = 0
    while time.perf_counter() - begin < seconds:
        instance(spec)
        instances += 1
    print(instances / (time.perf_counter() - begin))


main()
