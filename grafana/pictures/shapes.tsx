// Heat maps and bars: Grafana keeps its own in the panels, not among its components.
import { type GrafanaTheme2, dateTimeFormat, getValueFormat } from '@grafana/data';
import { type Gathered, type Series, clock, joined } from './frames';

interface Place {
  panel: any;
  gathered: Gathered;
  theme: GrafanaTheme2;
  width: number;
  height: number;
}

const LEFT = 52;
const BELOW = 22;
const ORANGES = [
  '#feedde',
  '#fdd0a2',
  '#fdae6b',
  '#fd8d3c',
  '#f16913',
  '#d94801',
  '#a63603',
  '#7f2704',
];

/** Counts of each bucket alone, least edge first: Prometheus' are cumulative. */
function buckets(found: Series[]) {
  const edge = ({ metric: { le } }: Series) => (le === '+Inf' ? Infinity : Number(le));
  const sorted = [...found].sort((a, b) => edge(a) - edge(b));
  const times = [...new Set(sorted.flatMap((s) => s.values!.map(([t]) => t)))].sort(
    (a, b) => a - b,
  );
  const columns = sorted.map((s) => new Map(s.values!.map(([t, v]) => [t, Number(v)])));
  const cells = times.map((time) =>
    columns.map((column, row) =>
      Math.max(0, (column.get(time) ?? 0) - (row === 0 ? 0 : (columns[row - 1].get(time) ?? 0))),
    ),
  );
  return { edges: sorted.map((s) => s.metric.le), times, cells };
}

export function HeatMap({ panel, gathered, theme, width, height }: Place) {
  const { edges, times, cells } = buckets(panel.targets[0].result);
  const format = getValueFormat(panel.options.yAxis.unit);
  const toPicture = clock(gathered);
  const most = Math.max(...cells.flat());
  const w = (width - LEFT) / times.length;
  const h = (height - BELOW - 6) / edges.length;
  const y = (row: number) => 6 + (edges.length - 1 - row) * h;
  const colour = (value: number) =>
    ORANGES[Math.min(7, Math.floor(8 * (value / most) ** panel.options.color.exponent))];
  const every = Math.ceil(times.length / (width / 90));
  const text = {
    fill: theme.colors.text.primary,
    fontSize: 12,
    fontFamily: theme.typography.fontFamily,
  };
  return (
    <svg width={width} height={height}>
      {cells.map((column, x) =>
        column.map(
          (value, row) =>
            value > panel.options.filterValues.le && (
              <rect
                key={`${x} ${row}`}
                x={LEFT + x * w + 0.5}
                y={y(row) + 0.5}
                width={Math.max(1, w - 1)}
                height={h - 1}
                fill={colour(value)}
              />
            ),
        ),
      )}
      {edges.map((edge, row) =>
        h < 13 && (edges.length - 1 - row) % 2 ? null : (
          <text key={edge} x={LEFT - 6} y={y(row) + h / 2 + 4} textAnchor="end" {...text}>
            {edge === '+Inf' ? '+Inf' : label(format(Number(edge)))}
          </text>
        ),
      )}
      {times.map((time, x) =>
        x % every || LEFT + x * w > width - 30 ? null : (
          <text key={time} x={LEFT + x * w} y={height - 6} {...text}>
            {dateTimeFormat(toPicture(time), { format: 'HH:mm', timeZone: 'utc' })}
          </text>
        ),
      )}
    </svg>
  );
}

function label({ text, suffix }: { text: string; suffix?: string }) {
  return `${text}${suffix ?? ''}`;
}

export function Bars({ panel, theme, width, height }: Place) {
  const { headings, rows } = joined(panel);
  const [heading, ...sets] = headings;
  rows.sort((a, b) => Number(a[heading]) - Number(b[heading]));
  const most = Math.max(...rows.flatMap((row) => sets.map((set) => row[set] ?? 0)));
  const bottom = height - 44;
  const w = (width - LEFT) / rows.length;
  const bar = (w * 0.8) / sets.length;
  const colours = sets.map((_, i) =>
    theme.visualization.getColorByName(theme.visualization.palette[i]),
  );
  const text = {
    fill: theme.colors.text.primary,
    fontSize: 12,
    fontFamily: theme.typography.fontFamily,
  };
  return (
    <svg width={width} height={height}>
      {[0, 0.5, 1].map((part) => (
        <g key={part}>
          <line
            x1={LEFT}
            x2={width}
            y1={bottom - part * (bottom - 8)}
            y2={bottom - part * (bottom - 8)}
            stroke={theme.colors.border.weak}
          />
          <text x={LEFT - 6} y={bottom - part * (bottom - 8) + 4} textAnchor="end" {...text}>
            {`${(100 * part * most).toFixed(0)}%`}
          </text>
        </g>
      ))}
      {rows.map((row, x) => (
        <g key={row[heading]}>
          {sets.map((set, i) => (
            <rect
              key={set}
              x={LEFT + x * w + w * 0.1 + i * bar}
              width={bar - 1}
              y={bottom - ((row[set] ?? 0) / most) * (bottom - 8)}
              height={((row[set] ?? 0) / most) * (bottom - 8)}
              fill={colours[i]}
            />
          ))}
          <text x={LEFT + (x + 0.5) * w} y={bottom + 16} textAnchor="middle" {...text}>
            {row[heading]}
          </text>
        </g>
      ))}
      {sets.map((set, i) => (
        <g key={set} transform={`translate(${10 + i * 110}, ${height - 8})`}>
          <rect width={14} height={4} y={-6} rx={2} fill={colours[i]} />
          <text x={20} {...text}>
            {set}
          </text>
        </g>
      ))}
    </svg>
  );
}
