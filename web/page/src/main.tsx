/**
 * Starts the page.
 */
import { render } from 'preact';

import { App } from './app.js';
import { startSession } from './session/session.js';
import './style/tokens.css';
import './style/base.css';
import './style/parts.css';

const page = document.getElementById('page');
if (page) {
  render(<App />, page);
  void startSession();
}
