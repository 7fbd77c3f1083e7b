import { listed, type Noun } from '../../platform/graphql/noun.ts'
import { Account, AccountSummary, loadAccounts } from './views.ts'

export const accountNoun: Noun = {
  name: 'Account',
  view: Account,
  views: [AccountSummary],
  read: 'getAccount',
  readOwn: 'getMe',
  load: loadAccounts,
  relations: {
    posts: listed('getAccountFeed', (accountId) => ({ accountId }), 'The posts of the account, newest first'),
    followers: listed('listFollowers', (accountId) => ({ accountId }), 'The followers, newest first'),
    following: listed('listFollowing', (accountId) => ({ accountId }), 'The followed accounts, newest first'),
  },
}
