// In place of react-custom-scrollbars-2, which this bundle could not load: a picture has none.
import type { ReactNode } from 'react';

export default function Scrollbars({ children }: { children: ReactNode }) {
  return <div style={{ height: '100%', overflow: 'hidden' }}>{children}</div>;
}
