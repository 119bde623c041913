// Listens to a journey's figures with `graphql-ws` or `graphql-sse` and prints each count of entries, a line each,
// until there are as many as wanted: node live.mjs ws|sse URL KEY JOURNEY WANTED
import { createClient as overEvents } from 'graphql-sse';
import { createClient as overSocket } from 'graphql-ws';
import WebSocket from 'ws';

const [over, url, key, id, wanted] = process.argv.slice(2);
const authorization = `Bearer ${key}`;
const client =
  over === 'ws'
    ? overSocket({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket, connectionParams: { authorization }, retryAttempts: 0 })
    : overEvents({ url, headers: { authorization }, retryAttempts: 0 });
const query = 'subscription ($id: ID!) { journeyStats(journeyId: $id) { audience { entries } } }';
for await (const { data, errors } of client.iterate({ query, variables: { id } })) {
  const entries = errors ? errors[0].extensions.code : data.journeyStats.audience.entries;
  console.log(entries);
  if (errors || entries >= Number(wanted)) break;
}
await client.dispose();
