import 'uplot/dist/uPlot.min.css';
import './styles.css';
import { render } from 'preact';
import { App } from './app.tsx';
import { FONT } from './charts/distribution.ts';
import { follow, start } from './store.ts';
import { followTheme } from './theme.ts';

followTheme();
follow();
render(<App />, document.body);
void start();
// To find a font takes longer than to draw with it, and there is nothing to draw yet.
const context = document.createElement('canvas').getContext('2d');
if (context !== null) {
  context.font = FONT;
  context.measureText('0');
}
