/** Everything that the first screen of a client shows. With REST, it takes seven requests. */
export const HOME_SCREEN = `query HomeScreen {
  me {
    id handle displayName avatarUrl followerCount followingCount postCount
    posts(first: 5) { nodes { id text likeCount commentCount createdAt } }
    followers(first: 5) { nodes { id handle displayName avatarUrl } }
  }
  homeFeed {
    nodes { id text createdAt likeCount commentCount liked author { id handle displayName avatarUrl } media { url alt } }
    pageInfo { hasNextPage endCursor }
  }
  notifications { nodes { id kind unread createdAt actor { id handle } post { id text } } }
  countUnreadNotifications { count }
  myLikes(first: 10) { nodes { likedAt post { id text author { handle } } } }
}`

/**
 * The trusted documents: clients send the SHA-256 instead of the text (`extensions.persistedQuery`). Where
 * `GRAPHQL_DOCUMENTS` is `trusted`, no other documents are answered. Add those of your clients here.
 */
export const documents: readonly string[] = [HOME_SCREEN]
