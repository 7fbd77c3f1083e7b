import { client } from '../api/client.ts'
import { LoadError, Loading, useData } from '../ui/loading.tsx'
import { SettingsNav } from '../ui/settings-nav.tsx'
import { View } from '../ui/view.tsx'
import { AccountAccessSection } from './account-access.tsx'
import { RolesSection } from './roles.tsx'

/** For administrators: who may do what, and why. */
export function Access() {
  const { data, error, load } = useData(() => client.listRoles())
  return (
    <View title="Access">
      <SettingsNav />
      {error.value !== null && <LoadError error={error.value} retry={load} />}
      {!data.value && error.value === null && <Loading />}
      {data.value && <RolesSection roles={data.value} load={load} />}
      {data.value && <AccountAccessSection roles={data.value} />}
    </View>
  )
}
