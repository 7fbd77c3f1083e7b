import type { ComponentChildren } from 'preact'
import { Icon } from './icons.tsx'
import { View } from './view.tsx'

/** Replaces a view whose link from an email has expired or was used. `children` is the way on. */
export function DeadLink({ children }: { children: ComponentChildren }) {
  return (
    <View title="This link no longer works">
      <div class="card stack narrow-form centered" role="status">
        <Icon name="mail" />
        <p>It has expired, was used already, or was replaced by a newer one. Nothing has changed.</p>
        {children}
      </div>
    </View>
  )
}
