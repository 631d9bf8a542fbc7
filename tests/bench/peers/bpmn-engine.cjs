// bpmn-engine: `node bpmn-engine.cjs MODEL SECONDS` prints how many instances it carries from start to end in a second.
// The model is parsed once, and each user task is signalled as soon as it waits, as its documentation does.
"use strict";

const { readFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const { EventEmitter } = require("node:events");

const brought = createRequire(`${process.env.ZHULU_PEERS}/package.json`);
const { Engine } = brought("bpmn-engine");
const BpmnModdle = brought("bpmn-moddle");
const Elements = brought("bpmn-elements");
const { default: serializer, TypeResolver } = brought("moddle-context-serializer");

const [model, seconds] = process.argv.slice(2);
const TASKS = 5;

async function parsed() {
  const Moddle = BpmnModdle.BpmnModdle ?? BpmnModdle.default ?? BpmnModdle;
  const context = await new Moddle().fromXML(readFileSync(model, "utf8"));
  return serializer(context, TypeResolver(Elements));
}

async function instance(sourceContext) {
  let finished = 0;
  const listener = new EventEmitter();
  listener.on("activity.wait", (task) => {
    finished += 1;
    task.signal();
  });
  const engine = new Engine({ name: "permit", sourceContext });
  const ended = engine.waitFor("end");
  await engine.execute({ listener, variables: { floor_area: 2500, kind: "住宅" } });
  await ended;
  if (finished !== TASKS) throw new Error(`${finished} tasks were finished instead of ${TASKS}`);
}

async function main() {
  const context = await parsed();
  const begin = performance.now();
  let instances = 0;
  while (performance.now() - begin < seconds * 1000) {
    await instance(context);
    instances += 1;
  }
  console.log(instances / ((performance.now() - begin) / 1000));
}

main().catch((cause) => {
  console.error(cause);
  process.exit(1);
});
