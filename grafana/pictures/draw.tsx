// A dashboard as a page for a browser without a user: the data is in window.gathered, what to leave
// out in window.sections.
import { createTheme, dateTime } from '@grafana/data';
import {
  BigValue,
  BigValueColorMode,
  BigValueGraphMode,
  GlobalStyles,
  Table,
  ThemeContext,
  TimeSeries,
} from '@grafana/ui';
import { createRoot } from 'react-dom/client';
import 'uplot/dist/uPlot.min.css';
import { type Gathered, clock, numbers, overTime, tableFrame } from './frames';
import { Bars, HeatMap } from './shapes';

declare global {
  interface Window {
    gathered: Gathered;
    sections: number;
  }
}

const WIDTH = 1440;
const ROW = 36;
const GAP = 8;
const TITLE = 34;
const theme = createTheme({ colors: { mode: 'dark' } });
const { gathered } = window;
const toPicture = clock(gathered);
const timeRange = (() => {
  const from = dateTime(toPicture(gathered.begin));
  const to = dateTime(toPicture(gathered.end));
  return { from, to, raw: { from, to } };
})();

function Content({ panel, width, height }: { panel: any; width: number; height: number }) {
  const place = { panel, gathered, theme, width, height };
  switch (panel.type) {
    case 'timeseries':
      return (
        <TimeSeries
          frames={overTime(panel, gathered, theme)}
          legend={{ ...panel.options.legend, calcs: panel.options.legend.calcs }}
          timeRange={timeRange}
          timeZone="utc"
          width={width}
          height={height}
        />
      );
    case 'stat': {
      const values = numbers(panel, gathered, theme);
      return (
        <div style={{ display: 'flex' }}>
          {values.map((value, index) => (
            <BigValue
              key={index}
              value={value}
              theme={theme}
              width={width / values.length}
              height={height}
              colorMode={BigValueColorMode.Value}
              graphMode={BigValueGraphMode.None}
            />
          ))}
        </div>
      );
    }
    case 'table':
      return <Table data={tableFrame(panel, gathered, theme)} width={width} height={height} />;
    case 'heatmap':
      return <HeatMap {...place} />;
    case 'barchart':
      return <Bars {...place} />;
    default:
      throw new Error(`nobody draws a panel of the type ${panel.type}`);
  }
}

function Panel({ panel }: { panel: any }) {
  const unit = WIDTH / 24;
  const { x, y, w, h } = panel.gridPos;
  const width = w * unit - GAP;
  const height = h * ROW - GAP;
  const style: React.CSSProperties = {
    position: 'absolute',
    left: x * unit,
    top: y * ROW,
    width,
    height,
  };
  if (panel.type === 'row') {
    return (
      <div style={{ ...style, ...theme.typography.h5, paddingTop: 4 }}>
        <span style={{ color: theme.colors.text.secondary }}>⌄</span> {panel.title}
      </div>
    );
  }
  const box = {
    background: theme.colors.background.primary,
    border: `1px solid ${theme.colors.border.weak}`,
    borderRadius: 2,
    overflow: 'hidden',
  };
  return (
    <div style={{ ...style, ...box }}>
      <div style={{ ...theme.typography.h6, padding: '7px 10px 0', whiteSpace: 'nowrap' }}>
        {panel.title}
      </div>
      <div style={{ position: 'absolute', left: 8, top: TITLE }}>
        <Content panel={panel} width={width - 18} height={height - TITLE - 8} />
      </div>
    </div>
  );
}

function shown() {
  const rows = gathered.dashboard.panels.filter((panel) => panel.type === 'row');
  const next = rows[window.sections];
  const end = next ? next.gridPos.y : Infinity;
  return gathered.dashboard.panels.filter((panel) => panel.gridPos.y < end);
}

function Page() {
  const panels = shown();
  const height = Math.max(...panels.map(({ gridPos }) => gridPos.y + gridPos.h)) * ROW;
  return (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <div style={{ background: theme.colors.background.canvas, padding: 12, width: WIDTH + 16 }}>
        <div style={{ ...theme.typography.h3, display: 'flex', justifyContent: 'space-between' }}>
          <span>{gathered.dashboard.title}</span>
          <span style={{ ...theme.typography.bodySmall, color: theme.colors.text.secondary }}>
            drawn with Grafana&apos;s UI components; layout, heat maps and bars ours · data of a
            real run, {gathered.factor} times as fast as shown
          </span>
        </div>
        <div style={{ position: 'relative', height }}>
          {panels.map((panel) => (
            <Panel key={panel.id} panel={panel} />
          ))}
        </div>
      </div>
    </ThemeContext.Provider>
  );
}

createRoot(document.getElementById('page')!).render(<Page />);
