/** `count` with the noun in singular or plural: "1 post", "2 posts". */
export const plural = (count: number, noun: string) => `${count} ${pluralNoun(count, noun)}`
export const pluralNoun = (count: number, noun: string) => (count === 1 ? noun : `${noun}s`)
