// What no schema says, for whoever reads the document; loaded with it, so that no start has to read it.

/** Lines that follow each other make a paragraph; an empty one, or a dash, begins the next. */
const markdown = (...lines: string[]) => lines.join('\n').replace(/(\S)\n(?=[^\n-])/g, '$1 ')

/** What holds of every operation. */
export const conventions = markdown(
  'A social network’s backend on Cloudflare’s edge. Ids are decimal strings. Each operation says who may call it',
  '(`x-access`), which scope a token needs for it (`x-scope`), whether it has a budget of its own (`x-limit`) and',
  'whether it can be repeated safely by a key (`x-idempotent`).',
  '',
  '## Errors',
  '',
  'Every error is a problem (RFC 9457, `application/problem+json`) with a stable `code`. When fields are wrong, `errors`',
  'has one entry for each of them, up to 20: `field` is its dotted path, `message` reads on from it. What is absent and',
  'what the viewer may not see get the same 404. A 401 with `WWW-Authenticate: Bearer` asks for a token; one that adds',
  '`error="invalid_token"` refuses the token that came. Every answer has an `X-Request-Id`, for reports: the request’s',
  'own, if it brought one of up to 64 letters, digits, `_`, `-` and `=`.',
  '',
  '## Lists',
  '',
  'A list answers with `items`, `nextCursor` and `previousCursor`. Give a cursor back as `cursor`, to the same list, to',
  'go on from the page or to get what has come in ahead of it. Cursors are opaque; `nextCursor` is null at the end. A page',
  'may hold fewer items than `limit`, or none, and still have a next one: what the viewer may not see is left out.',
  '',
  '## Limits',
  '',
  'Requests are counted per account, without a token per address; some operations have a budget beside that.',
  '`RateLimit-Policy: "user";q=100;w=60` tells the budget, 100 requests in 60 seconds, and `RateLimit: "user";r=99;t=42`',
  'what is left of it for how many seconds. Past it the answer is 429. `Retry-After`, there and on most 503, says in how',
  'many seconds to try again.',
  '',
  '## Idempotency',
  '',
  'Operations with `x-idempotent` take an `Idempotency-Key` of 1 to 255 characters. A repeat by the same account within 24',
  'hours makes nothing: it is answered with what the first made, and `Idempotency-Replayed: true`. The same key with',
  'another body is `idempotency_mismatch`. PUT and DELETE need no key: repeating them changes nothing.',
  '',
  '## Reading your own writes',
  '',
  'Reads may be answered by a replica. A write answers with `X-Bookmarks`; send the latest as `X-Bookmarks` of every',
  'request that follows, and it sees all that you have written. The value is opaque, and takes the place of the one',
  'before.',
)

const openRealtime = markdown(
  'Opens with a token of the scope, or with `ticket` from `createRealtimeTicket` for clients that cannot set headers, such',
  'as browsers. An account has at most 16 sockets: the next is `rate_limited`. Frames are JSON texts.',
  '',
  '- `{"event":"hello","seq":41,"resumed":false,"channels":["home","notifications"]}` comes first. `seq` is the number of',
  'the account’s last frame.',
  '- `{"seq":42,"channel":"home","event":"post.published","data":{"postId":"…","authorId":"…"}}` tells of a new post in the',
  'home feed; `notification` on `notifications` has `id` and `kind`. `data` holds ids: read the thing itself, which',
  'decides anew whether you may see it. `seq` rises from frame to frame, and skips what went to other channels.',
  '- `{"event":"error","code":"bad_request","detail":"…"}`, without a `seq`, answers what was not understood.',
  '- The text `ping` is answered by the text `pong`, which are no JSON; nothing else can be said.',
  '',
  'Come back with the last `seq` as `since`: with `"resumed":true` what was missed follows at once; otherwise, after more',
  'than 256 frames or a minute without a socket, fetch what you show anew and go on from the `seq` of `hello`. Frames are a',
  'courtesy beside the lists, which hold everything.',
  '',
  'The server closes with a code:',
  '',
  '- 4000: the token or ticket that opened the socket is a day old; connect anew.',
  '- 4001: the login has ended or the account is suspended; what opened the socket opens no other.',
  '- 4008: more than 60 messages in a minute, of which `ping` is none.',
  '- 1009: a message that is binary or has more than 4096 characters.',
  '- 1011: the socket was not reachable; connect anew, as after any end without a word.',
)

/** What is to be said of single operations, by their ids. */
export const descriptions: Record<string, string> = { openRealtime }
