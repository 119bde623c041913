// Prints what the GraphQL-over-HTTP audits of `graphql-http` say of a server: node audit.mjs URL HEADERS_JSON
import { auditServer } from 'graphql-http';

const [url, headers] = process.argv.slice(2);
const fetchFn = (address, init = {}) =>
  fetch(address, { ...init, headers: { ...JSON.parse(headers ?? '{}'), ...init.headers } });

const results = await auditServer({ url, fetchFn });
const told = results.map(({ id, name, status, reason }) => ({ id, name, status, reason: String(reason ?? '') }));
process.stdout.write(JSON.stringify(told));
