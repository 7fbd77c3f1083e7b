declare const YogaGraphiQL: { renderYogaGraphiQL: (root: Element | null, options: object) => void }

YogaGraphiQL.renderYogaGraphiQL(document.getElementById('root'), {
  title: 'SocialConnect GraphQL',
  endpoint: '/graphql',
  subscriptionsProtocol: 'SSE',
  defaultQuery:
    '# Log in at /docs, then send your access token: { "authorization": "Bearer …" }\n{ limits { postLength } }\n',
})
