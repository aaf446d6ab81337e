import 'uplot/dist/uPlot.min.css';
import './styles.css';
import { render } from 'preact';
import { App } from './app.tsx';
import { follow, start } from './store.ts';
import { followTheme } from './theme.ts';

followTheme();
follow();
render(<App />, document.body);
void start();
