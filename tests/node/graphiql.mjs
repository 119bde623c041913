// Opens GraphiQL in a real browser, runs what its first tab holds and prints what it saw:
// node graphiql.mjs URL CHROMIUM [SCREENSHOT]
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const [url, executablePath, screenshot] = process.argv.slice(2);
const profile = await mkdtemp(join(tmpdir(), 'sojourn-browser-'));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath,
  headless: true,
  viewport: { width: 1280, height: 800 },
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    // Whatever name a page may ask for, there is nothing behind it.
    '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
  ],
});

const seen = { requests: [], complaints: [], tabs: [], headers: '', result: '', resultAfterReload: '', resultOfSecondTab: '', resultOfLastTab: '' };
browser.on('request', (request) => seen.requests.push(request.url()));

const texts = (page, selector) => page.locator(selector).allInnerTexts();

async function execute(page) {
  await page.locator('.graphiql-execute-button').click();
  // Not waitForFunction: it needs eval, which the page's own policy forbids.
  const result = page.locator('.result-window', { hasText: '"data"' });
  await result.waitFor({ timeout: 120_000 });
  return result.innerText();
}

try {
  const page = await browser.newPage();
  page.setDefaultTimeout(120_000);
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && seen.complaints.push(message.text()));
  page.on('pageerror', (error) => seen.complaints.push(String(error)));
  await page.goto(url);
  await page.locator('.graphiql-execute-button').waitFor();
  seen.tabs = await texts(page, '.graphiql-tab-button');
  seen.result = await execute(page);
  seen.headers = (await texts(page, '.graphiql-editor-tool')).join('\n');
  if (screenshot) await page.screenshot({ path: screenshot });
  await page.reload();
  await page.locator('.graphiql-execute-button').waitFor();
  seen.resultAfterReload = await execute(page);
  await page.locator('.graphiql-tab-button').nth(1).click();
  seen.resultOfSecondTab = await execute(page);
  await page.locator('.graphiql-tab-button').last().click();
  seen.resultOfLastTab = await execute(page);
  if (screenshot) await page.screenshot({ path: screenshot });
} catch (error) {
  console.error(JSON.stringify(seen));
  if (screenshot) await browser.pages().at(-1).screenshot({ path: screenshot });
  throw error;
} finally {
  await browser.close();
  await rm(profile, { recursive: true, force: true });
  process.stdout.write(JSON.stringify(seen));
}
