// Visits a shop whose pages carry /sdk.js, and prints what it saw:
// node sdk.mjs SHOP_PORT SERVER CHROMIUM [SCREENSHOT]
import { chromium } from 'playwright-core';

const [port, server, executablePath, screenshot] = process.argv.slice(2);
const shop = `http://www.shop.test:${port}`;
const browser = await chromium.launch({
  executablePath,
  headless: true,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    // The shop is on this machine, and whatever else a page may ask for is nowhere.
    '--host-resolver-rules=MAP *.shop.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
  ],
});
const userAgent =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36';
const seen = {};
const visits = [];

// Visitors come at once, and do not know of each other.
const visit = (name, work) => visits.push(visitor(work).then((found) => (seen[name] = found)));

async function visitor(work) {
  const context = await browser.newContext({ userAgent, viewport: { width: 1280, height: 800 } });
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  const noted = { complaints: [], errors: [], sent: [] };
  page.on('console', (message) => message.type() === 'error' && noted.complaints.push(message.text()));
  page.on('pageerror', (error) => noted.errors.push(String(error)));
  context.on('request', (request) => {
    if (request.url().startsWith(`${server}/v1/`)) noted.sent.push(`${request.method()} ${request.resourceType()}`);
  });
  try {
    return { ...(await work(page, context, noted)), ...noted };
  } catch (error) {
    console.error(JSON.stringify({ ...seen, ...noted }));
    throw error;
  } finally {
    await context.close();
  }
}

const kept = (page) => page.evaluate(() => Object.keys(localStorage).filter((name) => name.startsWith('sojourn.')));
const drained = (page) =>
  page.waitForFunction(() => !Object.keys(localStorage).some((name) => name.startsWith('sojourn.event.')));
const ready = (page) => page.waitForFunction(() => window.sojourn && window.sojourn.version);
const cookies = async (context) => (await context.cookies()).filter((one) => one.name.startsWith('sojourn'));
const gate = (state) => fetch(`${server}/gate/${state}`, { method: 'POST' });

// A visit from a search, with a log-in and a router that moves without loading.
visit('visit', async (page, context) => {
  const referer = 'https://search.naver.com/search.naver?query=%EC%9A%B0%EC%82%B0';
  await page.goto(`${shop}/plain/goods/7?color=red#reviews`, { referer });
  await ready(page);
  await page.evaluate(() => {
    sojourn.track('Added', { product: '우산', price: 39000 });
    sojourn.identify('kim', { name: '김하나' });
  });
  await page.evaluate(() => {
    document.title = 'Cart';
    history.pushState({}, '', '/plain/cart');
  });
  await page.waitForTimeout(50);
  await page.evaluate(() => sojourn.track('Ordered'));
  await drained(page);
  const id = await page.evaluate(() => sojourn.anonymousId());
  const [cookie] = await cookies(context);
  // Another host of the same shop.
  await page.goto(`http://m.shop.test:${port}/plain/mobile`);
  await ready(page);
  await drained(page);
  const other = await page.evaluate(() => sojourn.anonymousId());
  if (screenshot) await page.screenshot({ path: screenshot });
  return { id, other, cookie: cookie.value, domain: cookie.domain };
});

// Nothing before consent; then everything; then nothing, and nobody.
visit('consent', async (page, context, noted) => {
  await page.goto(`${shop}/wait/consent`);
  await ready(page);
  await page.evaluate(() => sojourn.track('Asked'));
  await page.waitForTimeout(900);
  const before = { kept: await kept(page), cookies: await cookies(context), sent: noted.sent.length };
  await page.evaluate(() => sojourn.consent(true));
  await drained(page);
  const first = await page.evaluate(() => sojourn.anonymousId());
  await page.reload();
  await ready(page);
  await drained(page);
  const again = await page.evaluate(() => sojourn.anonymousId());
  await page.evaluate(() => {
    sojourn.consent(false);
    sojourn.track('Refused');
  });
  const count = noted.sent.length;
  await page.waitForTimeout(900);
  const after = { kept: await kept(page), cookies: await cookies(context), sent: noted.sent.length - count };
  await page.evaluate(() => sojourn.consent(true));
  const last = await page.evaluate(() => sojourn.anonymousId());
  return { before, first, again, after, last };
});

// Somebody says no where pages do not ask: the next page has to know.
visit('refusal', async (page, context) => {
  await page.goto(`${shop}/plain/refusal`);
  await ready(page);
  await drained(page);
  await page.evaluate(() => sojourn.consent(false));
  await page.goto(`${shop}/plain/refused`);
  await ready(page);
  await page.evaluate(() => sojourn.track('Refused'));
  await page.waitForTimeout(700);
  return { kept: await kept(page), cookies: await cookies(context) };
});

// The page is left right after something was done.
visit('leaving', async (page) => {
  await page.goto(`${shop}/plain/leaving`);
  await ready(page);
  await drained(page);
  await page.evaluate(() => {
    sojourn.track('Left');
    location.href = '/bare/elsewhere';
  });
  await page.waitForURL('**/bare/elsewhere');
  await page.waitForTimeout(300);
  return { left: await kept(page) };
});

// Something is done while a batch is on its way.
visit('flight', async (page) => {
  await page.goto(`${shop}/plain/flight`);
  await ready(page);
  await page.evaluate(() => {
    sojourn.track('On its way');
    sojourn.flush();
    sojourn.track('Meanwhile');
  });
  await drained(page);
  return {};
});

visit('twice', async (page) => {
  await page.goto(`${shop}/twice/twice`);
  await ready(page);
  await page.waitForTimeout(200);
  await drained(page);
  return {};
});

// What a page calls before the script is there, in its order.
visit('early', async (page) => {
  await page.goto(`${shop}/early/early`);
  await ready(page);
  await drained(page);
  return {};
});

visit('blocked', async (page) => {
  await page.goto(`${shop}/blocked/blocked`);
  await ready(page);
  await page.evaluate(() => sojourn.track('Blocked'));
  await page.waitForTimeout(900);
  return { id: await page.evaluate(() => typeof sojourn.anonymousId()) };
});

// What cannot be sent is told, and spoils nothing.
visit('odd', async (page) => {
  await page.goto(`${shop}/plain/odd`);
  await ready(page);
  await page.evaluate(() => {
    const circular = {};
    circular.self = circular;
    sojourn.track('Circular', circular);
    sojourn.track('Large', { text: '가'.repeat(12_000) });
    sojourn.track('Halves', { half: '\ud800', nul: 'a\u0000b', written: '\\u0000' });
    sojourn.track('Too long an integer', { number: 1e20 });
    sojourn.track('');
    sojourn.track('Fine');
  });
  await drained(page);
  return {};
});

visit('stranger', async (page) => {
  await page.goto(`${shop}/stranger/key`);
  await ready(page);
  await page.waitForTimeout(900);
  await page.evaluate(() => sojourn.track('Stranger'));
  await page.waitForTimeout(700);
  return {};
});

await Promise.all(visits);
// The server goes away, the page is loaded anew, and the server comes back.
seen.outage = await visitor(async (page) => {
  await gate('down');
  await page.goto(`${shop}/plain/outage`);
  await ready(page);
  await page.evaluate(() => [1, 2, 3].forEach((number) => sojourn.track(`Before ${number}`)));
  await page.waitForFunction(() => Object.keys(localStorage).filter((name) => name.startsWith('sojourn.event.')).length === 4);
  await page.waitForTimeout(700);
  await page.reload();
  await ready(page);
  await page.evaluate(() => sojourn.track('After'));
  const waiting = (await kept(page)).filter((name) => name.startsWith('sojourn.event.')).length;
  await gate('up');
  await drained(page);
  return { waiting };
});

await browser.close();
process.stdout.write(JSON.stringify(seen));
