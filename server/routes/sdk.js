/* Sojourn for web pages. What to paste, and every option: docs/web-sdk.md */
(function (window, document) {
  'use strict';
  const VERSION = '1.0.0';
  const earlier = window.sojourn || [];
  // Loaded twice, or a browser from before fetch: nothing happens, and nothing breaks.
  if (earlier.version || !window.fetch) return;

  const COOKIE = 'sojourn_id';
  const KEEP = 'sojourn.';
  const EVENT = KEEP + 'event.';
  const MOST_KEPT = 500; // events that wait for a server that is away,
  const LONGEST_WAIT = 7 * 864e5; // and how long
  const MOST_BYTES = 32000; // of an event; the server takes 32 KiB
  const BATCH_EVENTS = 50;
  const BATCH_BYTES = 55000; // browsers let 64 KiB leave with a page that is closed

  const script = document.currentScript;
  let key, server;
  let options = {};
  let allowed; // undefined: whoever is there has not been asked yet
  let queue = []; // { id, text, size }, the oldest first
  let sending = [];
  let batchSize = BATCH_EVENTS;
  let failures = 0;
  let timer = 0;
  let seen; // the address of the latest page view
  let before; // the address before it, within one document

  const complain = (...what) => console.error('sojourn:', ...what);
  const clip = (text) => String(text).slice(0, 2048);
  const now = () => new Date().toISOString();
  const without = (list, some) => list.filter((one) => !some.includes(one));
  const queued = (id, text) => ({ id, text, size: new Blob([text]).size });

  function uuid() {
    if (window.crypto && crypto.randomUUID) return crypto.randomUUID();
    return 'xxxxxxxxxxxxxxxxxxxxxxxx'.replace(/x/g, () => ((Math.random() * 16) | 0).toString(16));
  }

  // --- What is kept in the browser. Where that is forbidden, a page does without. ---

  function stored(work) {
    try {
      return work(window.localStorage);
    } catch {
      return null;
    }
  }
  const read = (name) => stored((store) => store.getItem(name));
  const write = (name, value) => stored((store) => store.setItem(name, value));
  const drop = (name) => stored((store) => store.removeItem(name));
  const names = (prefix) => stored((store) => Object.keys(store).filter((name) => name.startsWith(prefix))) || [];

  const cookie = (name) => (document.cookie.match('(?:^|; )' + name + '=([\\w-]{8,64})') || [])[1];

  function setCookie(name, value, seconds, domain) {
    document.cookie =
      name + '=' + value + '; path=/; max-age=' + seconds + '; SameSite=Lax' +
      (location.protocol === 'https:' ? '; Secure' : '') + (domain ? '; domain=' + domain : '');
  }

  // The widest domain that takes a cookie, shop.co.kr for m.shop.co.kr: one id for all hosts of a shop.
  function widest() {
    const labels = location.hostname.split('.');
    for (let count = 2; count <= labels.length && isNaN(labels[labels.length - 1]); count++) {
      const domain = labels.slice(-count).join('.');
      setCookie('sojourn_try', 'sojourn_try', 9, domain);
      const taken = cookie('sojourn_try');
      setCookie('sojourn_try', '', 0, domain);
      if (taken) return domain;
    }
    return '';
  }

  function setId(value, seconds) {
    setCookie(COOKIE, value, seconds, options.cookieDomain || widest());
  }

  let anonymousId = cookie(COOKIE) || read(KEEP + 'id') || uuid();
  let userId = read(KEEP + 'user');

  function remember() {
    setId(anonymousId, 31536000);
    write(KEEP + 'id', anonymousId);
    if (userId) write(KEEP + 'user', userId);
    else drop(KEEP + 'user');
  }

  // --- What an event is. ---

  const here = () => (options.hash ? location.href : location.href.split('#')[0]);

  const page = () => ({
    url: clip(here()),
    path: clip(location.pathname),
    search: clip(location.search),
    title: clip(document.title),
    referrer: clip(before || document.referrer),
  });

  function campaign() {
    const found = {};
    new URLSearchParams(location.search).forEach((value, name) => {
      if (name.startsWith('utm_')) found[name === 'utm_campaign' ? 'name' : name.slice(4)] = clip(value);
    });
    return found;
  }

  // The same for all events of a browser: it goes once with each batch.
  function browser() {
    const hints = navigator.userAgentData;
    // An iPad calls itself a Macintosh, and no Macintosh can be touched.
    const isPad = /Macintosh/.test(navigator.userAgent) && navigator.maxTouchPoints > 1;
    return {
      library: { name: 'sojourn.js', version: VERSION },
      userAgent: clip(navigator.userAgent),
      userAgentData: isPad ? { platform: 'iPadOS' } : hints && { mobile: hints.mobile, platform: hints.platform },
      locale: navigator.language,
      timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      screen: { width: screen.width, height: screen.height, density: window.devicePixelRatio },
      app: options.app,
    };
  }

  function add(type, fields) {
    if (allowed === false) return;
    const id = uuid();
    const context = { page: type === 'screen' ? undefined : page(), campaign: campaign() };
    const event = Object.assign({ type, messageId: id, timestamp: now(), anonymousId, userId, context }, fields);
    let one;
    try {
      // No database takes NUL or half a character.
      one = queued(id, JSON.stringify(event).replace(/\\u(0000|d[89a-f][0-9a-f]{2})/gi, '\\ufffd'));
    } catch (error) {
      return complain(type, 'cannot be written as JSON and is not sent.', error);
    }
    if (one.size > MOST_BYTES) return complain(type, 'has', one.size, 'bytes, is too large and is not sent.');
    queue.push(one);
    if (allowed) write(EVENT + id, one.text);
    if (queue.length > MOST_KEPT) drop(EVENT + queue.shift().id);
    soon(500);
  }

  // --- Sending. ---

  function soon(wait) {
    // After a failure the wait is longer, and new events do not shorten it.
    if (!timer && allowed && key) timer = setTimeout(send, wait);
  }

  function body(batch) {
    const around = JSON.stringify({ writeKey: key, sentAt: now(), context: browser() });
    return around.slice(0, -1) + ',"batch":[' + batch.map((one) => one.text) + ']}';
  }

  function first(waiting) {
    let room = BATCH_BYTES;
    const fits = (one, index) => (room -= one.size + 1) > 0 && index < batchSize;
    const end = waiting.findIndex((one, index) => !fits(one, index));
    return waiting.slice(0, end < 0 ? waiting.length : end);
  }

  function send() {
    clearTimeout(timer);
    timer = 0;
    if (sending.length || !queue.length || !allowed || !key) return;
    sending = first(queue);
    fetch(server + '/v1/batch', {
      method: 'POST',
      body: body(sending),
      headers: { 'Content-Type': 'text/plain' }, // which needs no leave beforehand
      credentials: 'omit',
      keepalive: true,
    }).then(heard, again);
  }

  function heard(answer) {
    const status = answer.status;
    if (status > 499 || status === 429 || status === 408) return again();
    if (status === 401 || status === 403) {
      key = '';
      return complain('the server does not take this write key. Nothing is sent before the page is loaded again.');
    }
    return answer.json().then(judge, () => judge({}, status));
  }

  function judge(told, status) {
    const batch = sending;
    sending = [];
    failures = 0;
    if (!told.success && !told.refused && batch.length > 1) {
      // One of them spoils all: it is looked for by halves.
      batchSize = Math.ceil(batch.length / 2);
    } else {
      if (!told.success) complain('not taken:', told.refused || told.message || status);
      queue = without(queue, batch);
      batch.forEach((one) => drop(EVENT + one.id));
      if (!queue.length) batchSize = BATCH_EVENTS;
    }
    send();
  }

  function again() {
    sending = [];
    failures += 1;
    soon(Math.min(60000, 500 * 2 ** failures) * (0.5 + Math.random() / 2));
  }

  // The page goes. Whether this arrives nobody will hear: so it stays in the browser, and the next page sends it
  // once more. The server knows an event that comes twice by its messageId.
  function leave() {
    const batch = first(without(queue, sending));
    if (!batch.length || !allowed || !key) return;
    if (navigator.sendBeacon && navigator.sendBeacon(server + '/v1/batch', body(batch))) queue = without(queue, batch);
    else send();
  }

  // What earlier pages could not send, or do not know of whether they did.
  function adopt() {
    const oldest = new Date(Date.now() - LONGEST_WAIT).toISOString();
    const found = names(EVENT).map((name) => {
      const one = queued(name.slice(EVENT.length), read(name) || '');
      one.at = (one.text.match(/"timestamp":"([\dT:.Z-]{24})"/) || [])[1];
      if (!(one.at > oldest)) drop(name);
      return one;
    });
    found.sort((one, other) => (one.at < other.at ? -1 : 1));
    queue = found.filter((one) => one.at > oldest).concat(queue).slice(-MOST_KEPT);
  }

  // --- What pages call. ---

  function start() {
    remember();
    adopt();
    queue.forEach((one) => write(EVENT + one.id, one.text));
    soon(0);
  }

  function moved() {
    // The router that moved us sets the title a moment later.
    setTimeout(() => here() !== seen && api.page(), 0);
  }

  function watch() {
    const push = history.pushState;
    history.pushState = function (...where) {
      push.apply(history, where);
      moved();
    };
    window.addEventListener('popstate', moved);
    window.addEventListener('pageshow', (event) => event.persisted && api.page());
    api.page();
  }

  const api = {
    init(writeKey, given) {
      if (key) return;
      key = writeKey;
      options = given || {};
      server = (options.server || (script && script.src.replace(/\/sdk\.js.*/, '')) || '').replace(/\/$/, '');
      const decided = read(KEEP + 'consent');
      allowed = decided ? decided === 'yes' : options.consent === 'wait' ? undefined : true;
      if (allowed) start();
      if (options.pages === false) return;
      if (document.prerendering) document.addEventListener('prerenderingchange', watch, { once: true });
      else watch();
    },
    page(name, properties) {
      if (seen) before = seen;
      seen = here();
      if (typeof name === 'object') return add('page', { properties: Object.assign(page(), name) });
      add('page', { name, properties: Object.assign(page(), properties) });
    },
    screen(name, properties) {
      add('screen', { name, properties });
    },
    track(event, properties) {
      add('track', { event, properties });
    },
    identify(id, traits) {
      if (id === undefined || typeof id === 'object') return add('identify', { traits: traits || id });
      userId = String(id);
      if (allowed) remember();
      add('identify', { traits });
    },
    group(groupId, traits) {
      add('group', { groupId, traits });
    },
    // Somebody logs out: who comes next is somebody else.
    reset() {
      userId = null;
      anonymousId = uuid();
      if (allowed) remember();
    },
    consent(given) {
      if (given) {
        write(KEEP + 'consent', 'yes');
        if (allowed) return;
        allowed = true;
        return start();
      }
      allowed = false;
      queue = [];
      setId('', 0);
      names(KEEP).forEach(drop);
      api.reset();
      // Where pages do not wait to be asked, they have to know that they must not.
      if (options.consent !== 'wait') write(KEEP + 'consent', 'no');
    },
    flush: send,
    anonymousId: () => (allowed ? anonymousId : null),
  };

  // A shop must not fall over because of us.
  Object.keys(api).forEach((name) => {
    const work = api[name];
    api[name] = (...given) => {
      try {
        return work(...given);
      } catch (error) {
        complain(name, error);
      }
    };
  });
  api.version = VERSION;
  api.push = ([name, given]) => api[name] && api[name](...given);

  window.sojourn = api;
  window.addEventListener('pagehide', leave);
  document.addEventListener('visibilitychange', () => document.visibilityState === 'hidden' && leave());
  window.addEventListener('online', send);
  const set = script ? script.dataset : {};
  if (set.key) api.init(set.key, { consent: set.consent });
  // What pages called before we were here, in their order.
  if (Array.isArray(earlier)) earlier.forEach(api.push);
})(window, document);
