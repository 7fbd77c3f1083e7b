import type { Template } from '../mail-text.ts'

const WARNING =
  'If it was not you, reset your password at once, and remove what you do not know in the settings under “Security”:'

export const providerTemplates = {
  'provider-linked': ({ config }, { handle, detail }) => ({
    subject: `${detail} was linked to your account`,
    paragraphs: [`From now on, you can log in to @${handle} with ${detail}.`, WARNING, config.BASE_URL],
  }),
  'provider-unlinked': ({ config }, { handle, detail }) => ({
    subject: `${detail} was unlinked from your account`,
    paragraphs: [`You can no longer log in to @${handle} with ${detail}.`, WARNING, config.BASE_URL],
  }),
} satisfies Record<string, Template>
