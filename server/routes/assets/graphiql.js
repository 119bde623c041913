// Opens GraphiQL on this address with the examples and headers that the page carries.
'use strict';

const config = JSON.parse(document.getElementById('config').textContent);

// GraphiQL asks for the schema before its headers editor is there, and forgets the headers of a tab when the
// page is opened again: an empty editor stands for the headers that came with the page.
const pageHeaders = JSON.parse(config.headers ?? '{}');

// Just after a change of tab GraphiQL still names the operation of the tab before.
const named = ({ query, operationName, ...rest }) =>
  operationName && !query.includes(operationName) ? { query, ...rest } : { query, operationName, ...rest };

// By its text: just after a change of tab GraphiQL has not parsed it yet.
const isSubscription = ({ query, operationName }) =>
  operationName
    ? new RegExp(`\\bsubscription\\s+${operationName}\\b`).test(query)
    : /^\s*subscription\b/m.test(query);

// Subscriptions come as server-sent events, through the same door and with the same key as everything else.
const listen = (parameters, headers) =>
  graphqlSse.createClient({ url: location.pathname, headers, retryAttempts: 1000 }).iterate(parameters);

const fetcher = async (given, options) => {
  const parameters = named(given);
  if (isSubscription(parameters)) return listen(parameters, options?.headers ?? pageHeaders);
  const response = await fetch(location.pathname, {
    method: 'POST',
    headers: {
      Accept: 'application/graphql-response+json, application/json',
      'Content-Type': 'application/json',
      ...(options?.headers ?? pageHeaders),
    },
    body: JSON.stringify(parameters),
  });
  return response.json();
};

// What a visitor typed is kept for these examples and this key only: after a new demo, or with another
// key, the page opens with the new ones.
const prefix = `sojourn:${config.edition}:`;
const storage = {
  getItem: (key) => localStorage.getItem(prefix + key),
  setItem: (key, value) => localStorage.setItem(prefix + key, value),
  removeItem: (key) => localStorage.removeItem(prefix + key),
  clear: () => Object.keys(localStorage).filter((key) => key.startsWith(prefix)).forEach((key) => localStorage.removeItem(key)),
  get length() { return Object.keys(localStorage).filter((key) => key.startsWith(prefix)).length; },
};

// Of the tabs that a page opens with, GraphiQL takes the query of the first but not its variables.
if (config.examples.length && storage.getItem('graphiql:tabState') === null) {
  storage.setItem('graphiql:variables', config.examples[0].variables);
}

ReactDOM.createRoot(document.getElementById('graphiql')).render(
  React.createElement(GraphiQL, {
    fetcher,
    storage,
    defaultQuery: '',
    defaultTabs: config.examples.map((example) => ({ ...example, headers: config.headers })),
    defaultHeaders: config.headers ?? undefined,
    defaultEditorToolsVisibility: config.headers ? 'headers' : 'variables',
    isHeadersEditorEnabled: true,
    shouldPersistHeaders: false,
  }),
);
