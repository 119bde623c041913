// Subscribes to the inbox with `graphql-ws` and prints the first N messages: node inbox.mjs URL TOKEN N
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const [url, userToken, wanted] = process.argv.slice(2);
const client = createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0 });
const query = `subscription ($userToken: String!) {
  inbox(userToken: $userToken) { id title text url imageUrl data expiresAt }
}`;
const heard = [];
for await (const result of client.iterate({ query, variables: { userToken } })) {
  heard.push(result);
  if (heard.length >= Number(wanted) || result.errors) break;
}
await client.dispose();
process.stdout.write(JSON.stringify(heard));
