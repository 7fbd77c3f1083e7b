/** `rule`: of operations that only the owner of a webhook may call. */
export const webhookExamples = <R>(rule: R) => ({
  createWebhook: { json: () => ({ url: `https://hooks.example.org/${crypto.randomUUID()}`, events: ['post.liked'] }) },
  getWebhook: { rule },
  editWebhook: { rule, json: () => ({ description: crypto.randomUUID() }) },
  deleteWebhook: { rule },
  renewWebhookSecret: { rule },
  pauseWebhook: { rule },
  resumeWebhook: { rule },
  testWebhook: { rule },
  listWebhookDeliveries: { rule },
  getWebhookDelivery: { rule },
  replayWebhookDelivery: { rule },
  replayWebhookDeliveries: {
    rule,
    json: () => ({ since: '2026-01-01T00:00:00Z', until: '2026-02-01T00:00:00Z' }),
  },
})
