import type { Example, Rule } from './examples.ts'

/** The message of a target was sent by the other member. */
export function messageExamples(ownOnly: Rule): Record<string, Example> {
  const othersMessage: Rule = (caller, target) => ownOnly(caller, target) ?? 'forbidden'
  return {
    readMessageLog: { rule: ownOnly },
    listMessageEdits: { rule: ownOnly },
    hideMessage: { rule: ownOnly },
    editMessage: { rule: othersMessage, json: () => ({ text: `edited ${crypto.randomUUID()}` }) },
    deleteMessage: { rule: othersMessage },
    addReaction: { rule: ownOnly },
    removeReaction: { rule: ownOnly },
    listReactions: { rule: ownOnly },
    pinMessage: { rule: ownOnly },
    unpinMessage: { rule: ownOnly },
    listPinnedMessages: { rule: ownOnly },
    searchMessages: { rule: ownOnly, query: async () => 'q=hello' },
    listMarks: { rule: ownOnly },
    markConversationDelivered: { rule: ownOnly, json: () => ({ seq: 1 }) },
    showTyping: { rule: ownOnly },
    muteConversation: { rule: ownOnly, json: () => ({ until: '2100-01-01T00:00:00Z' }) },
    unmuteConversation: { rule: ownOnly },
    getMessageSettings: {},
    setMessageSettings: { json: () => ({ sharesMarks: true }) },
  }
}
