-- Every figure again from the facts, in plain SQL. Nothing in here reads a counter or a user set, and nothing
-- was taken over from the code that fills them: docs/metrics.md and the tables are all that it knows.
--
-- `counted` has a row for each thing that a metric counts, `seen` one for each time that somebody was seen at a
-- place. `at` is when it happened, `entered_at` when its run came in: the two clocks. A figure is a sum over the
-- one, or a number of different users in the other, between two instants of a clock.

-- Runs of people who are held out are told of apart; everything else is without them.
CREATE TEMP TABLE came AS
SELECT id AS run_id, journey_id, entered_at, variant = 'holdout' AS is_held_out FROM run;
CREATE INDEX temp.came_by_run ON came (run_id);

-- The ways of runs, step by step. Whoever has come to a step has come as the user that the run had then, which a
-- merge can change until it leaves.
CREATE TEMP TABLE passage AS
SELECT v.run_id, v.journey_id, v.version, v.step_key, v.arrived_at, v.left_at, v.output, v.end_reason,
       came.entered_at, v.shard || ':' || v.user_number AS person,
       row_number() OVER way AS place,
       lag(v.shard || ':' || v.user_number) OVER way AS came_as,
       lag(v.output) OVER way AS came_by
FROM visit AS v JOIN came USING (run_id)
WHERE NOT came.is_held_out
WINDOW way AS (PARTITION BY v.run_id ORDER BY v.arrived_at, v.left_at, v.seq);
CREATE INDEX temp.passage_by_run ON passage (run_id, place);

-- Where the runs are that are inside now: a visit becomes a fact when it is over.
CREATE TEMP TABLE waiting AS
SELECT r.id AS run_id, r.journey_id, r.version, r.step_key, r.arrived_at, r.entered_at,
       last.person AS came_as, last.output AS came_by
FROM run AS r
JOIN (
    SELECT run_id, person, output FROM passage AS p
    WHERE place = (SELECT max(place) FROM passage AS q WHERE q.run_id = p.run_id)
) AS last ON last.run_id = r.id
WHERE r.wake_at IS NOT NULL AND r.variant <> 'holdout';

CREATE TEMP TABLE arrival AS
SELECT run_id, journey_id, version, step_key, arrived_at AS at, entered_at, came_by,
       coalesce(came_as, person) AS person
FROM passage
UNION ALL
SELECT run_id, journey_id, version, step_key, arrived_at, entered_at, came_by, came_as FROM waiting;

-- What was heard of messages. Of two words about one message the stronger holds, whichever came first.
CREATE TEMP TABLE word (kind TEXT, strength INTEGER, metric TEXT, proves_sent INTEGER);
INSERT INTO word VALUES
    ('bounced', 1, 'bounced', 1), ('delivered', 2, '', 1), ('expired', 3, 'failed', 0),
    ('failed', 4, 'failed', 0), ('refused', 4, 'failed', 0), ('skipped', 5, 'skipped', 0),
    ('accepted', 6, '', 0), ('opened', 6, '', 1), ('clicked', 6, '', 1), ('trapped', 6, '', 1),
    ('replied', 6, '', 1), ('unsubscribed', 6, '', 1), ('complained', 6, '', 1), ('shown', 6, '', 1),
    ('interacted', 6, '', 1), ('dismissed', 6, '', 1), ('unknown', 7, 'unknown', 0), ('attempted', 8, '', 0);

CREATE TEMP TABLE heard AS
SELECT r.message_id, r.kind, r.occurred_at AS at, r.reason, r.url,
       coalesce(nullif(r.actor, ''), 'unsure') AS actor, w.strength, w.metric, w.proves_sent
FROM receipt AS r LEFT JOIN word AS w ON w.kind = r.kind;
CREATE INDEX temp.heard_by_message ON heard (message_id, kind, at);

CREATE TEMP TABLE letter AS
SELECT m.id, m.run_id, m.journey_id, m.version, m.step_key, m.channel, m.created_at, m.attempted_at,
       m.fallback_of,
       m.shard || ':' || m.user_number AS person, came.entered_at,
       (SELECT min(strength) FROM heard WHERE message_id = m.id) AS strength,
       coalesce(
           (SELECT min(at) FROM heard WHERE message_id = m.id AND kind = 'accepted'),
           (SELECT coalesce(m.attempted_at, min(at)) FROM heard
            WHERE message_id = m.id AND proves_sent HAVING count(*) > 0)
       ) AS sent_at
FROM message AS m JOIN came USING (run_id);
CREATE INDEX temp.letter_by_run ON letter (run_id);
CREATE INDEX temp.letter_by_id ON letter (id);

-- Who was behind the hits of a message, seen together: the earliest 50 of each.
CREATE TEMP TABLE hit AS
SELECT message_id, kind, at, actor, url,
       row_number() OVER (PARTITION BY message_id ORDER BY at, kind, actor, url) <= 50 AS is_early
FROM heard WHERE kind IN ('opened', 'clicked', 'trapped');
CREATE INDEX temp.hit_by_message ON hit (message_id, at);

CREATE TEMP TABLE click AS SELECT * FROM hit WHERE kind = 'clicked' AND is_early AND url <> '';
CREATE INDEX temp.click_by_message ON click (message_id, at);

CREATE TEMP TABLE machine_at AS
SELECT message_id, at FROM hit WHERE kind = 'trapped' AND is_early
UNION
SELECT c.message_id, c.at FROM click AS c
WHERE EXISTS (
    SELECT 1 FROM click AS first
    WHERE first.message_id = c.message_id AND c.at BETWEEN first.at AND first.at + 3000
      AND 3 <= (SELECT count(DISTINCT url) FROM click AS one
                WHERE one.message_id = c.message_id AND one.at BETWEEN first.at AND first.at + 3000)
);
CREATE INDEX temp.machine_by_message ON machine_at (message_id, at);

CREATE TEMP TABLE judged AS
SELECT message_id, kind, at,
       CASE
           WHEN NOT is_early OR actor = 'machine' THEN actor
           WHEN EXISTS (SELECT 1 FROM machine_at AS m
                        WHERE m.message_id = hit.message_id AND abs(m.at - hit.at) <= 5000) THEN 'machine'
           WHEN actor = 'human' AND kind = 'clicked' AND url <> '' AND EXISTS (
               SELECT 1 FROM click AS c WHERE c.message_id = hit.message_id AND c.url <> hit.url
                AND abs(c.at - hit.at) <= 1000) THEN 'unsure'
           ELSE actor
       END AS actor
FROM hit WHERE kind <> 'trapped';

CREATE TEMP TABLE reader AS
SELECT message_id, min(at) AS opened_at FROM judged WHERE actor IN ('human', 'unsure') GROUP BY message_id;
CREATE INDEX temp.reader_by_message ON reader (message_id);

-- Hits of goals, and the one message of the run that each is put down to.
CREATE TEMP TABLE conversion_of AS
SELECT c.run_id, c.journey_id, c.version, c.goal_key, c.digest, c.occurred_at AS at, c.amount, came.entered_at,
       c.shard || ':' || c.user_number AS person,
       row_number() OVER (PARTITION BY c.run_id, c.goal_key ORDER BY c.occurred_at, c.amount, c.version) AS place
FROM conversion AS c JOIN came USING (run_id)
WHERE NOT came.is_held_out;

CREATE TEMP TABLE credit AS
SELECT c.*, l.step_key, l.channel, coalesce(reader.opened_at <= c.at, 0) AS after_open,
       row_number() OVER (
           PARTITION BY c.run_id, c.goal_key, c.digest
           ORDER BY coalesce(reader.opened_at <= c.at, 0) DESC,
                    CASE WHEN reader.opened_at <= c.at THEN reader.opened_at ELSE l.sent_at END DESC, l.id DESC
       ) AS rank
FROM conversion_of AS c
JOIN letter AS l ON l.run_id = c.run_id AND l.sent_at <= c.at
LEFT JOIN reader ON reader.message_id = l.id;

CREATE TEMP TABLE counted AS
SELECT 'entries' AS metric, journey_id, version, step_key, '' AS output, '' AS channel, '' AS reason,
       arrived_at AS at, entered_at, 0 AS amount
FROM passage WHERE place = 1
UNION ALL
SELECT 'arrivals', journey_id, version, step_key, '', '', '', at, entered_at, 0 FROM arrival
UNION ALL
SELECT 'moved_in', journey_id, version, step_key, '', '', '', at, entered_at, 0 FROM arrival
WHERE came_by LIKE '@%'
UNION ALL
SELECT 'left', journey_id, version, step_key, output, '', '', left_at, entered_at, 0 FROM passage
WHERE end_reason IS NULL
UNION ALL
SELECT 'moved_out', journey_id, version, step_key, '', '', '', left_at, entered_at, 0 FROM passage
WHERE output LIKE '@%'
UNION ALL
SELECT 'ended', journey_id, version, step_key, '', '', end_reason, left_at, entered_at, 0 FROM passage
WHERE end_reason IS NOT NULL
UNION ALL
SELECT 'refused', journey_id, version, step_key, '', '', reason, occurred_at, occurred_at, 0 FROM refusal
UNION ALL
SELECT 'held_out', v.journey_id, v.version, v.step_key, '', '', '', v.arrived_at, came.entered_at, 0
FROM visit AS v JOIN came USING (run_id) WHERE came.is_held_out
UNION ALL
SELECT 'queued', journey_id, version, step_key, '', channel, '', created_at, entered_at, 0 FROM letter
UNION ALL
SELECT 'sent', journey_id, version, step_key, '', channel, '', sent_at, entered_at, 0 FROM letter
WHERE sent_at IS NOT NULL
UNION ALL
SELECT 'fallback_sent', journey_id, version, step_key, '', channel, '', sent_at, entered_at, 0 FROM letter
WHERE sent_at IS NOT NULL AND fallback_of IS NOT NULL
UNION ALL
SELECT 'fallback_delivered', l.journey_id, l.version, l.step_key, '', l.channel, '', min(h.at), l.entered_at, 0
FROM heard AS h JOIN letter AS l ON l.id = h.message_id
WHERE h.kind = 'delivered' AND l.fallback_of IS NOT NULL
GROUP BY h.message_id
UNION ALL
SELECT w.metric, l.journey_id, l.version, l.step_key, '', l.channel,
       (SELECT reason FROM heard AS h WHERE h.message_id = l.id AND h.strength = l.strength
        ORDER BY at, reason LIMIT 1),
       (SELECT min(at) FROM heard AS h WHERE h.message_id = l.id AND h.strength = l.strength), l.entered_at, 0
FROM letter AS l JOIN (SELECT DISTINCT strength, metric FROM word WHERE metric <> '') AS w
  ON w.strength = l.strength
UNION ALL
SELECT h.kind, l.journey_id, l.version, l.step_key, '', l.channel, '', min(h.at), l.entered_at, 0
FROM heard AS h JOIN letter AS l ON l.id = h.message_id
WHERE h.kind IN ('delivered', 'unsubscribed', 'complained', 'replied', 'shown', 'interacted', 'dismissed',
                 'opened', 'clicked')
GROUP BY h.message_id, h.kind
UNION ALL
SELECT j.kind, l.journey_id, l.version, l.step_key, '', l.channel, j.actor, min(j.at), l.entered_at, 0
FROM judged AS j JOIN letter AS l ON l.id = j.message_id
GROUP BY j.message_id, j.kind, j.actor
UNION ALL
SELECT CASE j.kind WHEN 'opened' THEN 'opens' ELSE 'clicks' END,
       l.journey_id, l.version, l.step_key, '', l.channel, j.actor, j.at, l.entered_at, 0
FROM judged AS j JOIN letter AS l ON l.id = j.message_id
UNION ALL
SELECT 'hits', journey_id, version, '', goal_key, '', '', at, entered_at, amount FROM conversion_of
UNION ALL
SELECT 'reached', journey_id, version, '', goal_key, '', '', at, entered_at, amount FROM conversion_of
WHERE place = 1
UNION ALL
SELECT 'credited', journey_id, version, step_key, goal_key, channel,
       CASE WHEN after_open THEN 'opened' ELSE 'sent' END, at, entered_at, amount
FROM credit WHERE rank = 1
UNION ALL
SELECT 'credited_first', journey_id, version, step_key, goal_key, channel,
       CASE WHEN after_open THEN 'opened' ELSE 'sent' END, at, entered_at, amount
FROM credit WHERE rank = 1 AND place = 1
UNION ALL
SELECT 'credited', journey_id, version, '', goal_key, '', '', at, entered_at, amount FROM conversion_of AS c
WHERE NOT EXISTS (SELECT 1 FROM letter AS l WHERE l.run_id = c.run_id AND l.sent_at <= c.at)
UNION ALL
SELECT 'assisted', journey_id, version, step_key, goal_key, channel, '', at, entered_at, amount
FROM credit WHERE rank > 1;

-- A message is sent to somebody whenever an acceptance says so, and when it left if anything proves that it did.
CREATE TEMP TABLE seen AS
SELECT 'entered' AS what, journey_id, version, step_key, '' AS output, '' AS channel, person, arrived_at AS at,
       entered_at
FROM passage WHERE place = 1
UNION ALL
SELECT 'arrived', journey_id, version, step_key, '', '', person, at, entered_at FROM arrival
UNION ALL
SELECT 'left', journey_id, version, step_key, output, '', person, left_at, entered_at FROM passage
WHERE end_reason IS NULL
UNION ALL
SELECT CASE h.kind WHEN 'accepted' THEN 'sent' ELSE h.kind END, l.journey_id, l.version, l.step_key, '',
       l.channel, l.person, h.at, l.entered_at
FROM heard AS h JOIN letter AS l ON l.id = h.message_id WHERE h.kind IN ('accepted', 'opened', 'clicked')
UNION ALL
SELECT 'sent', l.journey_id, l.version, l.step_key, '', l.channel, l.person, l.attempted_at, l.entered_at
FROM letter AS l WHERE l.attempted_at IS NOT NULL
 AND EXISTS (SELECT 1 FROM heard AS h WHERE h.message_id = l.id AND h.proves_sent)
UNION ALL
SELECT 'reached', journey_id, version, '', goal_key, '', person, at, entered_at FROM conversion_of;
