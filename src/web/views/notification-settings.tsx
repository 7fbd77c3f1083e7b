import type { NotificationDigestInput, NotificationPreferences } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { reportError, showToast } from '../state/toasts.ts'
import { CheckboxField, Field, FormError, SelectField, SubmitButton } from '../ui/field.tsx'
import { LoadError, Loading, useData } from '../ui/loading.tsx'
import { SettingsNav } from '../ui/settings-nav.tsx'
import { type Form, useForm } from '../ui/use-form.ts'
import { View } from '../ui/view.tsx'
import { PushDevices } from './push-devices.tsx'

type Rules = NotificationPreferences['rules']
type Channels = Rules['like']
type Messages = Rules['message']

const kinds: Record<keyof Rules, string> = {
  like: 'Likes of your posts',
  comment: 'Replies to your posts',
  mention: 'Mentions',
  follow: 'New followers',
  message: 'Messages',
  messageRequest: 'Requests to message you, and invitations to groups',
}
const channels: Record<keyof Channels, string> = { inApp: 'In the app', mail: 'By email', push: 'By push' }
const audiences = {
  everyone: 'From everyone',
  followed: 'From people you follow',
  followers: 'From your followers',
  nobody: 'Never',
}

/** Who may notify the person, and how. */
export function NotificationSettings() {
  const { data, error, load } = useData(() => client.readNotificationPreferences())
  return (
    <View title="Notifications">
      <SettingsNav />
      {error.value !== null && <LoadError error={error.value} retry={load} />}
      {!data.value && error.value === null && <Loading />}
      {data.value?.mailSuppressed && <Suppressed load={load} />}
      {data.value && <Preferences preferences={data.value} />}
      <PushDevices />
    </View>
  )
}

function Suppressed({ load }: { load: () => Promise<void> }) {
  const retry = async () => {
    await client.forgetMailSuppression()
    await load()
    showToast('The next mail will be sent')
  }
  return (
    <section class="card settings" aria-label="Your address">
      <p>Your email address refused a mail, so you get no more mails about notifications.</p>
      <div class="actions">
        <button type="button" class="secondary" onClick={() => void retry().catch(reportError)}>
          Try again
        </button>
      </div>
    </section>
  )
}

function Preferences({ preferences }: { preferences: NotificationPreferences }) {
  const { rules, quietHours, digest, includeText, includeMessages } = preferences
  const form = useForm(async ({ value }) => {
    const quiet = { timeZone: value('timeZone'), from: value('from'), to: value('to') }
    await client.replaceNotificationPreferences({
      rules: rulesOf(value),
      ...(value('quiet') !== '' && { quietHours: quiet }),
      ...digestOf(value),
      includeText: value('includeText') !== '',
      includeMessages: value('includeMessages') !== '',
    })
    showToast('Saved')
  })
  return (
    <section class="card settings" aria-label="What notifies you">
      <h2>What notifies you</h2>
      <p class="hint">What you do not see in the app is not mailed or pushed either.</p>
      <form class="stack" aria-label="What notifies you" {...form.attributes}>
        {Object.entries(kinds).map(([kind, legend]) => (
          <Audiences key={kind} form={form} kind={kind as keyof Rules} legend={legend} rules={rules} />
        ))}
        <QuietHours form={form} quietHours={quietHours} />
        <Digest form={form} digest={digest} />
        <CheckboxField form={form} name="includeText" checked={includeText}>
          Quote public posts in mails and pushes
        </CheckboxField>
        <CheckboxField form={form} name="includeMessages" checked={includeMessages}>
          Quote messages, and name groups, in mails and pushes
        </CheckboxField>
        <FormError form={form} shown={['from', 'to', 'timeZone', 'digestAt', 'digestZone']} />
        <div class="actions">
          <SubmitButton form={form}>Save</SubmitButton>
        </div>
      </form>
    </section>
  )
}

function rulesOf(value: (name: string) => string): Rules {
  const audience = (kind: string, channel: string) => value(`${kind}.${channel}`) as Channels['mail']
  const ofMessages = (kind: string): Messages => ({ mail: audience(kind, 'mail'), push: audience(kind, 'push') })
  const byChannel = (kind: string): Channels => ({ inApp: audience(kind, 'inApp'), ...ofMessages(kind) })
  return {
    like: byChannel('like'),
    comment: byChannel('comment'),
    mention: byChannel('mention'),
    follow: byChannel('follow'),
    message: ofMessages('message'),
    messageRequest: ofMessages('messageRequest'),
  }
}

function Audiences({ form, kind, legend, rules }: { form: Form; kind: keyof Rules; legend: string; rules: Rules }) {
  return (
    <fieldset class="audiences">
      <legend>{legend}</legend>
      {Object.entries(rules[kind]).map(([channel, selected]) => (
        <SelectField
          key={channel}
          form={form}
          name={`${kind}.${channel}`}
          label={channels[channel as keyof Channels]}
          options={audiences}
          selected={selected}
        />
      ))}
    </fieldset>
  )
}

function QuietHours({ form, quietHours }: { form: Form } & Pick<NotificationPreferences, 'quietHours'>) {
  const zone = quietHours?.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone
  return (
    <fieldset class="audiences">
      <legend>Quiet hours</legend>
      <CheckboxField form={form} name="quiet" checked={quietHours !== null}>
        Send no mails and pushes in these hours
      </CheckboxField>
      <Field form={form} name="from" label="From" defaultValue={quietHours?.from ?? '22:00'} />
      <Field form={form} name="to" label="To" defaultValue={quietHours?.to ?? '07:00'} />
      <Field form={form} name="timeZone" label="Time zone" defaultValue={zone} />
    </fieldset>
  )
}

const periods = { never: 'Never', daily: 'Every day', weekly: 'Every Monday' }

function Digest({ form, digest }: { form: Form } & Pick<NotificationPreferences, 'digest'>) {
  const zone = digest?.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone
  return (
    <fieldset class="audiences">
      <legend>A mail with what you have not read</legend>
      <SelectField form={form} name="digest" label="How often" options={periods} selected={digest?.every ?? 'never'} />
      <Field form={form} name="digestAt" label="At" defaultValue={digest?.at ?? '08:00'} />
      <Field form={form} name="digestZone" label="Time zone" defaultValue={zone} />
    </fieldset>
  )
}

function digestOf(value: (name: string) => string): { digest: NotificationDigestInput } {
  const every = value('digest') as NotificationDigestInput['every']
  return { digest: { every, timeZone: value('digestZone'), at: value('digestAt') } }
}
