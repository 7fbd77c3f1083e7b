import { beforeAll, beforeEach, expect, test } from 'vitest'
import { codes, graphql } from '../../support/graphql.ts'
import { queues } from '../../support/manual-queues.ts'
import { publishedId } from '../../support/posting.ts'
import { mint, trustTestKey } from '../../support/tokens.ts'
import { ada, bob } from '../../support/trio.ts'

let token: string
beforeAll(trustTestKey)
beforeEach(async () => {
  token = await mint(bob)
})

test('a post is read with its author, comments, parent and root', async () => {
  const postId = await publishedId(ada, { text: 'a post' })
  const commentId = await publishedId(bob, { text: 'a comment', parentId: postId })
  await queues.deliver()
  const { data, errors } = await graphql(
    `query ($id: ID!) {
      post(postId: $id) {
        text
        author { databaseId handle bio followerCount relation { following } }
        comments(first: 5) { nodes { databaseId text parent { text } root { author { handle } } } }
      }
    }`,
    { variables: { id: postId }, token },
  )
  expect(errors).toEqual([])
  expect(data.post).toMatchObject({
    text: 'a post',
    author: { databaseId: ada, bio: '', followerCount: 0, relation: { following: false } },
    comments: { nodes: [{ databaseId: commentId, text: 'a comment', parent: { text: 'a post' } }] },
  })
})

test('a record that does not exist is null, with the code of REST at its path', async () => {
  const answer = await graphql('{ post(postId: "512") { text } limits { postLength } }', { token })
  expect(answer).toMatchObject({ status: 200, data: { post: null, limits: { postLength: 500 } } })
  expect(codes(answer)).toEqual({ post: 'not_found' })
})

test('a mutation runs the verb of its operation, and returns what the verb wrote', async () => {
  const { data, errors } = await graphql(
    'mutation { createPost(input: { text: "Hello @nobody", visibility: FOLLOWERS }) { id visibility author { databaseId postCount } } }',
    { token },
  )
  expect(errors).toEqual([])
  expect(data.createPost).toMatchObject({ visibility: 'FOLLOWERS', author: { databaseId: bob, postCount: 1 } })
  const found = await graphql('query ($id: ID!) { node(id: $id) { id ... on Post { text } } }', {
    variables: { id: data.createPost.id },
    token,
  })
  expect(found.data.node).toEqual({ id: data.createPost.id, text: 'Hello @nobody' })
})
