import { type Operation, operation } from '../../platform/http/operation.ts'
import {
  acceptConversation,
  countUnreadMessages,
  declineConversation,
  getConversation,
  listConversations,
  openConversation,
  readConversationLog,
  WantedConversations,
  WantedLog,
} from './conversations.ts'
import { markOperations } from './mark-operations.ts'
import { messageOperations } from './message-operations.ts'
import { markConversationRead } from './messages.ts'
import { readMessages, writeMessages } from './policy.ts'
import {
  Conversation,
  ConversationLog,
  ConversationOpening,
  ConversationPage,
  ConversationPath,
  ReadMark,
  UnreadMessages,
} from './views.ts'

export const messagingOperations = [
  operation({
    id: 'openConversation',
    method: 'post',
    path: '/conversations',
    access: 'user',
    scope: writeMessages,
    body: ConversationOpening,
    example: { accountId: '1970324836990977' },
    returns: Conversation,
    fails: ['not_found', 'forbidden'],
    summary: 'Open the conversation with an account',
    description:
      'Two accounts have one conversation: opening it again returns the same one. If the other account does not follow you, your ' +
      'messages are a request, which it accepts or declines. You may open 50 such conversations a day. A conversation is listed, ' +
      'and exists for the other account, from its first message on.',
    run: openConversation,
  }),
  operation({
    id: 'listConversations',
    method: 'get',
    path: '/conversations',
    access: 'user',
    scope: readMessages,
    query: WantedConversations,
    returns: ConversationPage,
    summary: 'List your conversations, newest message first',
    run: listConversations,
  }),
  operation({
    id: 'readConversationLog',
    method: 'get',
    path: '/conversations/log',
    access: 'user',
    scope: readMessages,
    query: WantedLog,
    returns: ConversationLog,
    summary: 'Read which conversations have changed since a position',
    description:
      'For clients that were away: one position covers all folders. Then read the log of the messages of each conversation, with ' +
      '`since` set to the `revision` that you know.',
    run: readConversationLog,
  }),
  operation({
    id: 'countUnreadMessages',
    method: 'get',
    path: '/conversations/unread-count',
    access: 'user',
    scope: readMessages,
    returns: UnreadMessages,
    summary: 'Count your unread messages, conversations and requests',
    run: countUnreadMessages,
  }),
  operation({
    id: 'getConversation',
    method: 'get',
    path: '/conversations/{conversationId}',
    access: 'user',
    scope: readMessages,
    params: ConversationPath,
    returns: Conversation,
    summary: 'Get a conversation',
    run: getConversation,
  }),
  operation({
    id: 'acceptConversation',
    method: 'put',
    path: '/conversations/{conversationId}/accept',
    access: 'user',
    scope: writeMessages,
    params: ConversationPath,
    returns: null,
    summary: 'Move a request to your inbox',
    run: acceptConversation,
  }),
  operation({
    id: 'declineConversation',
    method: 'put',
    path: '/conversations/{conversationId}/decline',
    access: 'user',
    scope: writeMessages,
    params: ConversationPath,
    returns: null,
    summary: 'Decline a request: you hear no more of it, and the sender is not told',
    run: declineConversation,
  }),
  operation({
    id: 'markConversationRead',
    method: 'put',
    path: '/conversations/{conversationId}/read',
    access: 'user',
    scope: writeMessages,
    params: ConversationPath,
    body: ReadMark,
    example: { seq: 7 },
    returns: null,
    summary: 'Mark the messages up to one as read',
    run: markConversationRead,
  }),
  ...messageOperations,
  ...markOperations,
] satisfies Operation[]
