import { z } from '@hono/zod-openapi'
import { type Operation, operation } from '../../platform/http/operation.ts'
import {
  deleteMessage,
  editMessage,
  hideMessage,
  listMessageEdits,
  readMessageLog,
  WantedChanges,
} from './message-changes.ts'
import {
  Message,
  MessageChange,
  MessageEdits,
  MessageId,
  MessageLog,
  MessagePage,
  MessageSending,
} from './message-views.ts'
import { getMessage, listMessages, sendMessage, WantedMessages } from './messages.ts'
import { readMessages, writeMessages } from './policy.ts'
import { ConversationId } from './views.ts'

const ConversationPath = z.object({ conversationId: ConversationId })
const MessagePath = z.object({ messageId: MessageId })

export const messageOperations = [
  operation({
    id: 'sendMessage',
    method: 'post',
    path: '/conversations/{conversationId}/messages',
    access: 'user',
    scope: writeMessages,
    params: ConversationPath,
    body: MessageSending,
    example: { clientId: 'c0a80101-7d3f-4b52-9d3c-0f1e2d3c4b5a', text: 'Dear @grace, see you at noon' },
    returns: Message,
    status: 201,
    location: ({ id }) => `/messages/${id}`,
    fails: ['forbidden', 'conflict', 'idempotency_mismatch'],
    summary: 'Send a message; repeating it with the same `clientId` returns the first one',
    description:
      'The same `clientId` with another text is refused with `idempotency_mismatch`. A request holds 10 messages: until ' +
      'the other account answers or accepts it, a further one is refused with `conflict`.',
    run: sendMessage,
  }),
  operation({
    id: 'listMessages',
    method: 'get',
    path: '/conversations/{conversationId}/messages',
    access: 'user',
    scope: readMessages,
    params: ConversationPath,
    query: WantedMessages,
    returns: MessagePage,
    summary: 'List the messages of a conversation, newest first',
    run: listMessages,
  }),
  operation({
    id: 'getMessage',
    method: 'get',
    path: '/messages/{messageId}',
    access: 'user',
    scope: readMessages,
    params: MessagePath,
    returns: Message,
    summary: 'Get a message',
    run: getMessage,
  }),
  operation({
    id: 'readMessageLog',
    method: 'get',
    path: '/conversations/{conversationId}/messages/log',
    access: 'user',
    scope: readMessages,
    params: ConversationPath,
    query: WantedChanges,
    returns: MessageLog,
    summary: 'Read the messages that are new or changed since a revision, oldest change first',
    description:
      'Each message comes once, as it is now. Use the `revision` of the answer, and not that of a message, as the next `since`.',
    run: readMessageLog,
  }),
  operation({
    id: 'editMessage',
    method: 'patch',
    path: '/messages/{messageId}',
    access: 'user',
    scope: writeMessages,
    params: MessagePath,
    body: MessageChange,
    example: { text: 'Dear @grace, see you at one' },
    returns: Message,
    fails: ['forbidden', 'conflict'],
    summary: 'Edit an own message, within 24 hours and at most 20 times',
    description: 'Members can read what it said before. The same text as before changes nothing.',
    run: editMessage,
  }),
  operation({
    id: 'listMessageEdits',
    method: 'get',
    path: '/messages/{messageId}/edits',
    access: 'user',
    scope: readMessages,
    params: MessagePath,
    returns: MessageEdits,
    summary: 'List what a message said before its edits',
    run: listMessageEdits,
  }),
  operation({
    id: 'deleteMessage',
    method: 'delete',
    path: '/messages/{messageId}',
    access: 'user',
    scope: writeMessages,
    params: MessagePath,
    returns: null,
    fails: ['forbidden'],
    summary: 'Delete an own message for everybody',
    description: 'Its text and its history are gone. Its place stays, so that other messages keep their numbers.',
    run: deleteMessage,
  }),
  operation({
    id: 'hideMessage',
    method: 'put',
    path: '/messages/{messageId}/hidden',
    access: 'user',
    scope: writeMessages,
    params: MessagePath,
    returns: null,
    summary: 'Delete a message for yourself only; others still see it',
    run: hideMessage,
  }),
] satisfies Operation[]
