"use strict";
// The demo's page: GraphiQL with a token, and an operation to begin with in each tab.
const examples = [
  ["办件列表 · list of cases", `query Cases($filter: CaseFilterInput, $after: String) {
  cases(first: 10, after: $after, filter: $filter, sort: { field: SUBMITTED_ON, descending: true }) {
    totalCount
    pageInfo { hasNextPage endCursor }
    nodes { id caseNo legacyId stageName applicantName projectName submittedOn decidedOn dueOn attributes }
  }
}`, `{ "filter": {} }`],
  ["办件详情与时间线 · one case", `query OneCase($id: ID!) {
  case(id: $id) {
    caseNo stageName allowedActions
    clock { limits { name limit dueOn usedDays remainingDays alert ledger { after through days counts reason } } }
    tasks { name role assignee since }
    timeline(first: 50) { occurredAt title actorName legalBasis }
    history(first: 50) { edges { node { revision name hash } } }
  }
}`, `{ "id": "" }`],
  ["时点还原 · as it was", `query AsItWas($id: ID!, $at: MomentInput!) {
  caseAsOf(id: $id, at: $at) { revision eventsSeen recordedAt file { stageName handler { name } clock { limits { name dueOn remainingDays } } } }
}`, `{ "id": "", "at": { "revision": 0 } }`],
  ["办理时长 · handling time", `query HandlingTime {
  handlingTime(by: ["city", "review_track"], cohortMature: true) { groups n p25 median p75 p90 within30 within90 within365 }
}`, `{}`],
  ["待办 · worklist", `query Worklist {
  worklistCounts { role tasks unassigned overdue }
  worklist(first: 20) { nodes { name role dueOn caseNo applicantName } }
}`, `{}`],
  ["视图状态 · views", `query Views { me { name role region } views { name state position head lag } }`, `{}`],
  ["事项目录 · catalogue", `query Items { items { code name limits { name limit } materials { code title required tolerable } form exampleForm } }`, `{}`],
  ["受理 · accept a case", `mutation AcceptCase($input: CaseAcceptInput!) {
  caseAccept(input: $input) { position userErrors { code message field } case { stageName caseNo dueOn } }
}`, `{ "input": { "commandId": "", "caseId": "", "mode": "NORMAL" } }`],
];
const field = document.getElementById("token");
field.value = new URLSearchParams(location.hash.slice(1)).get("token") || sessionStorage.getItem("token") || "";
sessionStorage.setItem("token", field.value);
const token = () => field.value.trim();
const fetcher = GraphiQL.createFetcher({
  url: "/graphql",
  fetch: (url, request) => fetch(url, { ...request, headers: { ...request.headers, authorization: "Bearer " + token() } }),
  wsClient: graphqlWs.createClient({
    url: location.origin.replace(/^http/, "ws") + "/graphql/ws",
    connectionParams: () => ({ authorization: "Bearer " + token() }),
  }),
});
// A command without an id of its own gets one: the page's own way of pressing a button once.
const send = (parameters, options) => {
  const input = parameters.variables && parameters.variables.input;
  if (input && input.commandId === "" && crypto.randomUUID) {
    parameters = { ...parameters, variables: { ...parameters.variables, input: { ...input, commandId: crypto.randomUUID() } } };
  }
  return fetcher(parameters, options);
};
// The schema comes as it is written, for a question about all of it would be deeper than the server lets anybody ask.
const root = ReactDOM.createRoot(document.getElementById("graphiql"));
fetch("/schema.graphql")
  .then(answer => answer.text())
  .then(sdl => root.render(React.createElement(GraphiQL, {
    fetcher: send,
    schema: GraphiQL.GraphQL.buildSchema(sdl),
    shouldPersistHeaders: false,
    defaultTabs: examples.map(([name, query, variables]) => ({ query: "# " + name + "\n" + query, variables })),
  })));
field.addEventListener("change", () => sessionStorage.setItem("token", token()));
