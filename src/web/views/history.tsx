import type { AuditEntry } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { cachedList } from '../state/list.ts'
import { actionLabel } from '../ui/action-label.ts'
import { ListView, useList } from '../ui/list-view.tsx'
import { SettingsNav } from '../ui/settings-nav.tsx'
import { exactTime } from '../ui/time.tsx'
import { View } from '../ui/view.tsx'

/** The audit log of the own account. */
export function History() {
  const list = cachedList('audit', client.listMyAudit)
  useList(list)
  return (
    <View title="History">
      <SettingsNav />
      <p class="context">
        What happened to your account. If you do not recognize something, change your password and log out everywhere
        else.
      </p>
      <ListView
        list={list}
        label="History of your account"
        moreLabel="Older entries"
        empty={<p>Nothing yet.</p>}
        render={(entry) => <Entry entry={entry} />}
      />
    </View>
  )
}

function Entry({ entry }: { entry: AuditEntry }) {
  const { at, action, device, place, address } = entry
  const client = [device, place, address].filter(Boolean).join(' · ')
  return (
    <article class="person entry">
      <div>
        <b>{actionLabel(action)}</b>
        <p class="row-value">
          <time dateTime={at}>{exactTime(at)}</time>
          {client && ` · ${client}`}
        </p>
      </div>
    </article>
  )
}
