import UPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { LossHistory } from './loss-history.js';
import { kinds } from './sizes.js';

/** The curves, as wide as their place and in the page's colours, light or dark. */
export class LossChart {
  private plot: UPlot;
  private history: LossHistory | null = null;

  constructor(private readonly place: HTMLElement) {
    this.plot = this.draw();
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.plot.destroy();
      this.plot = this.draw();
    });
    // In the next frame: a change of size while sizes are observed would be reported as an error.
    new ResizeObserver(() => requestAnimationFrame(() => this.plot.setSize(this.size()))).observe(place);
  }

  show(history: LossHistory): void {
    this.history = history;
    this.plot.setData(this.data());
  }

  private data(): UPlot.AlignedData {
    const { history } = this;
    return history ? [history.steps, ...kinds.map((kind) => history.smooth[kind])] : [[], ...kinds.map(() => [])];
  }

  private size(): { width: number; height: number } {
    const { clientWidth } = this.place;
    return { width: clientWidth, height: clientWidth < 500 ? 220 : 300 };
  }

  private draw(): UPlot {
    const style = getComputedStyle(document.documentElement);
    // A canvas knows no light-dark(): the element resolves it.
    const colour = (variable: string) => {
      this.place.style.color = `var(${variable})`;
      const { color } = getComputedStyle(this.place);
      this.place.style.color = '';
      return color;
    };
    const axis = {
      stroke: colour('--quiet'),
      grid: { stroke: colour('--line'), width: 1 },
      font: `12px ${style.fontFamily}`,
    };
    const series = kinds.map((kind, i) => ({
      label: kind.toUpperCase(),
      stroke: colour(`--series-${i + 1}`),
      width: 2,
      points: { show: false },
      // MHE-ADD and MHE-MUL often run so close that only a dash tells them apart.
      dash: [[], [6, 3], [2, 3]][i] ?? [],
      value: (_: UPlot, loss: number | null) => loss?.toFixed(3) ?? '–',
    }));
    const options: UPlot.Options = {
      ...this.size(),
      scales: { x: { time: false, range: (_, least, most) => [least ?? 1, Math.max(most ?? 1, 50)] } },
      axes: [axis, { ...axis, size: 40 }],
      series: [{ label: 'Step' }, ...series],
    };
    return new UPlot(options, this.data(), this.place);
  }
}
