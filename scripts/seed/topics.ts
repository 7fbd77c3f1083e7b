/** What people post about: `tag` is the hashtag, `bio` the words on a profile, `posts` the templates of posts. */
export type Topic = { tag: string; related: string[]; bio: string; posts: string[] }

// In a template, `{a|b}` becomes `a` or `b`, and `{name}` becomes one of the choices for `name` in `words`.

export const words: Record<string, string[]> = Object.fromEntries(
  `
today: today|this morning|this evening|after work|at lunch|before breakfast|late last night
weekend: this weekend|on Saturday|on Sunday|tomorrow|next week|on Thursday evening
place: the harbour|the old market|the canal|the hill behind the station|the botanical garden|the pier
weather: rain|fog|sun|wind|drizzle|the first frost|a clear sky|sudden hail
good: lovely|brilliant|wonderful|surprisingly good|so worth it|quietly perfect|better than planned
many: two|three|four|five|six|nine|a dozen
who: my sister|my neighbour|an old friend|my dad|a colleague|the kids|my flatmate|nobody but the dog
feeling: Very happy.|No regrets.|Would do it again.|My legs disagree.|More please.|Learned a lot.|
`
    .trim()
    .split('\n')
    .map((line) => line.split(': ') as [string, string])
    .map(([name, choices]) => [name, choices.split('|')]),
)

/** One topic per paragraph: a line with the tag, related tags and the bio, then one template per line. */
const paragraphs = `
photography blackandwhite goldenhour streetphotography: always carrying a camera
{Up before the sun|Stayed out late|Walked for hours} and the light over {place} was {good}.
Shot a whole roll of film {today}. {Now the waiting begins.|I already know frame twelve is the one.|Half of it is pigeons.}
A reminder to myself: {move your feet|turn around before you leave|wait one more minute|look for the reflections}.
{weather} turns {place} into a different {city|planet|film set}. {feeling}

baking sourdough bread homemade: bread, mostly
The sourdough {finally rose|collapsed again|has an ear you could hang a coat on}. {feeling}
Baked {many} {cinnamon buns|cardamom knots|loaves of rye|lemon tarts} {today} and shared them with {who}.
Does anyone have a {good|trusted|foolproof} recipe for {focaccia|pumpernickel|brioche}? Mine comes out like a roof tile.
Fed the starter, fed the cat, {forgot to feed myself|now feeding the oven}. In that order.

cycling bikecommute gravel bikepacking: two wheels and a bell
{many} hours on the bike through {weather}. {feeling}
New {tyres|chain|saddle|brake pads}, and it rides like a different bike. {feeling}
Rode out to {place} {today} with {who}. Coffee at the turn, headwind home, {good}.
They have painted a bike lane {on the bridge|past the school|to the station}! It ends in a bush, but it is a start.

gardening allotment tomatoes seeds: growing things, killing basil
The first {tomato|courgette|sunflower|radish} of the year is {here|ripe|the size of a marble}. {feeling}
Planted {many} rows of {garlic|tulips|broad beans|kale} {today}, in {weather}.
The slugs have {found the lettuce|won|left one leaf, out of politeness}.
Swapping seeds {weekend}: I have far too many {beans|marigolds|chillies}. Who wants some?

books reading bookclub library: reading on every train
Finished a book {today} that I will be {thinking about|recommending|arguing with} for a long time.
Page {many} hundred and I still do not know {who the narrator is|why there is a goat|whom to trust}. {feeling}
What is the last book that made you {laugh out loud|miss your stop|change your mind}?
Our book club meets {weekend}. I have read {half of it|it twice|the back cover}.

music vinyl livemusic nowplaying: plays the cello, badly but with love
Heard {a string quartet|a brass band|three buskers and a dog|a choir} at {place} {today}. Stood there until the end.
Found a {scratched|signed|misprinted} record for one coin at the flea market. Side B is {good}.
First rehearsal with the new band {weekend}. We have {a name|a drummer|one song and a half}.
What do you listen to when {it rains|you cook|you cannot sleep|you need to write}?

running trailrunning parkrun marathontraining: slow runner, happy runner
{many} kilometres along {place} in {weather}. {feeling}
Ran with {who} {today} and talked the whole way. That is the right pace.
Week {many} of the plan: {everything hurts|something clicked|I slept more than I ran}.
New shoes, same hill, {same result|one minute faster|more blisters}.

programming opensource typescript debugging: writes software and deletes more of it
Deleted {many} hundred lines {today} and everything still works. Best commit of the {week|month|year}.
The bug was {a time zone|an off-by-one|a cache|a comma|in the test}. It is always {a time zone|a cache}.
Wrote the test first for once. It {failed for the right reason|found something else|made the code shorter}.
Naming things, cache invalidation and {estimating|meetings|printers}.

trains nighttrain railways slowtravel: would rather take the night train
On the slow train to the coast. {many} stops, {many} tunnels, one very good window seat.
The conductor announced {the view|a herd of deer|his retirement} and the whole carriage {looked up|applauded|got quiet}.
Delayed by {weather}, reading on the platform. Honestly? {good}.
Changed trains {many} times {today} and every connection worked. Buying a lottery ticket next.

astronomy stargazing moon darkskies: looks up a lot
Clear sky at last. Saturn through a borrowed telescope, {who} beside me, both of us whispering.
Counted {many} meteors from {place} before the clouds came. {feeling}
The moon over {place} {today}: so bright that you could read by it.
Explained an eclipse with {an orange and a lamp|two apples|a football}. The {orange|lamp|audience} did not survive.

coffee tea espresso cafes: decaf is also coffee
New {beans|grinder|kettle|cup} {today}. The first one was {good}.
The café by {place} now {opens at six|roasts its own|has a cat}. I may never leave.
Third cup. {I can hear colours.|Still Monday.|The report is writing itself.}
Coffee with {who} {weekend}. It has been {many} months. Too long.

birds birdwatching nature wetlands: will stop mid-sentence for a kingfisher
A {kingfisher|barn owl|goldcrest|pair of cranes} at {place} {today}. Nobody believed me until I showed the blurry photo.
The swifts are {back|gone|early this year}. You notice the silence {first|last}.
Put up a nest box with {who} {today}. First visitor: {a wasp|a very confident tit|the cat}.
{weather} on the marsh, and geese coming over by the hundred. {feeling}
`

export const topics: Topic[] = paragraphs
  .trim()
  .split('\n\n')
  .map((paragraph) => {
    const [heading = '', ...posts] = paragraph.split('\n')
    const [tags = '', bio = ''] = heading.split(': ')
    const [tag = '', ...related] = tags.split(' ')
    return { tag, related, bio, posts }
  })

export const comments = `
This is {good}.
{Love|Adore|Needed} this.
Ha, exactly my experience {too|last week|every single time}.
Where was this? I want to go.
Congratulations! {feeling}
I had no idea. Thank you for {sharing|writing this|the tip}.
Can I join {weekend}?
Strong disagree, but {beautifully put|I respect it|let us have a coffee about it}.
Tried it {today}: {it works|it really works|I did something wrong, but it was fun}.
The {last sentence|second part|detail about it} got me.
`
  .trim()
  .split('\n')

export const replies = `
Thank you! {feeling}
Yes! Come along {weekend}.
Took me {many} attempts, honestly.
Near {place}, on the left. You cannot miss it.
Ha, fair point.
I will write it up {weekend}, promise.
`
  .trim()
  .split('\n')
