'use strict';
// Draws the plots of the report from the JSON in #data. Everything they show is in the tables, too.
(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const tip = document.getElementById('tip');

  const element = (name, attributes = {}, ...children) => {
    const made = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };
  const number = (value) => {
    const size = Math.abs(value);
    const digits = size >= 100 || size === 0 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
    return value.toLocaleString('en', { maximumFractionDigits: digits });
  };
  const short = (value) => value >= 1e6 ? number(value / 1e6) + 'M' : value >= 1e4 ? number(value / 1e3) + 'k' : number(value);
  const most = (values) => values.reduce((a, b) => b === null ? a : Math.max(a, b), 0);

  // Round steps from 0 to at least `top`.
  const ticks = (top, wanted) => {
    if (!(top > 0)) return [0, 1];
    const raw = top / wanted;
    const unit = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 2.5, 5, 10].map((x) => x * unit).find((x) => x >= raw * 0.999);
    const made = [];
    for (let i = 0; i <= Math.ceil(top / step - 1e-9); ++i) made.push(i * step);
    return made;
  };

  const showTip = (event, text) => {
    tip.textContent = text;
    tip.style.display = 'block';
    const right = event.clientX + 14 + tip.offsetWidth > innerWidth;
    tip.style.left = (right ? event.clientX - 14 - tip.offsetWidth : event.clientX + 14) + 'px';
    tip.style.top = Math.max(4, Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 4)) + 'px';
  };
  const hideTip = () => { tip.style.display = 'none'; };

  // Calls draw(svg, width) now and whenever the width changes.
  const plot = (id, height, label, draw) => {
    const holder = document.getElementById(id);
    if (!holder) return;
    let last = 0;
    const render = () => {
      const width = Math.round(holder.clientWidth);
      if (width === last || width < 50) return;
      last = width;
      const svg = element('svg', { viewBox: `0 0 ${width} ${height}`, height, role: 'img', 'aria-label': label });
      draw(svg, width);
      holder.replaceChildren(svg);
    };
    new ResizeObserver(render).observe(holder);
    render();
  };

  const path = (points, x, y) => {
    let text = '';
    let pen = false;
    for (const [a, b] of points) {
      if (b === null) { pen = false; continue; }
      text += `${pen ? 'L' : 'M'}${x(a).toFixed(1)} ${y(b).toFixed(1)}`;
      pen = true;
    }
    return text;
  };

  // Vertical axis with grid; returns the scale.
  const valueAxis = (svg, box, top, unit, wanted = 4) => {
    const steps = ticks(top, wanted);
    const high = steps[steps.length - 1];
    const y = (value) => box.bottom - (value / high) * (box.bottom - box.top);
    for (const step of steps) {
      svg.append(element('line', { class: step ? 'grid' : 'axis', x1: box.left, x2: box.right, y1: y(step), y2: y(step) }),
        element('text', { x: box.left - 8, y: y(step) + 4, 'text-anchor': 'end' }, short(step)));
    }
    if (unit) svg.append(element('text', { class: 'strong', x: 0, y: box.top - 12 }, unit));
    return y;
  };

  // Latency by percentile; the axis stretches towards the tail, each nine as wide as the last.
  const percentilePlot = (id, measure) => plot(id, 250, `${measure.name} by percentile`, (svg, width) => {
    const box = { left: 48, right: width - 14, top: 26, bottom: 216 };
    const place = (percent) => -Math.log10(1 - percent / 100);
    const end = place(measure.curve[measure.curve.length - 1][0]);
    const x = (percent) => box.left + (place(percent) / end) * (box.right - box.left);
    const limit = most(measure.limits.map((l) => l.ms));
    const top = most(measure.curve.map((p) => p[1]));
    const y = valueAxis(svg, box, limit && limit < 3 * top ? Math.max(top, limit) : top, 'ms');
    for (const percent of [0, 50, 90, 99, 99.9, 99.99]) {
      if (place(percent) > end + 1e-6) continue;
      if (percent === 0 && x(50) - x(0) < 44) continue;  // no room for its label
      svg.append(element('line', { class: 'grid', x1: x(percent), x2: x(percent), y1: box.top, y2: box.bottom }),
        element('text', { x: x(percent), y: box.bottom + 18, 'text-anchor': 'middle' }, percent === 0 ? 'best' : `p${percent}`));
    }
    const points = measure.curve;
    const area = `${path(points, x, y)}L${x(points[points.length - 1][0])} ${y(0)}L${x(0)} ${y(0)}Z`;
    svg.append(element('path', { d: area, fill: `var(--${measure.colour})`, opacity: 0.12 }),
      element('path', { d: path(points, x, y), fill: 'none', stroke: `var(--${measure.colour})`, 'stroke-width': 2.2 }));
    for (const l of measure.limits) {
      const at = y(l.ms);
      if (at < box.top - 2) continue;
      svg.append(element('line', { class: 'limit', x1: box.left, x2: box.right, y1: at, y2: at }),
        element('text', { class: 'limit-text', x: box.left + 6, y: at - 5 }, l.text));
    }
    const dot = element('circle', { r: 4, fill: `var(--${measure.colour})`, opacity: 0 });
    const area2 = element('rect', { x: box.left, y: box.top, width: box.right - box.left, height: box.bottom - box.top, fill: 'transparent' });
    area2.addEventListener('pointermove', (event) => {
      const at = (event.clientX - svg.getBoundingClientRect().left - box.left) / (box.right - box.left) * end;
      const near = points.reduce((a, b) => Math.abs(place(b[0]) - at) < Math.abs(place(a[0]) - at) ? b : a);
      dot.setAttribute('cx', x(near[0]));
      dot.setAttribute('cy', y(near[1]));
      dot.setAttribute('opacity', 1);
      showTip(event, `p${number(near[0])}: ${number(near[1])} ms`);
    });
    area2.addEventListener('pointerleave', () => { dot.setAttribute('opacity', 0); hideTip(); });
    svg.append(dot, area2);
  });

  // Panels above each other over one axis of time.
  const timelinePlot = () => {
    const line = data.timeline;
    const seconds = line.tokens.map((_, i) => (i + 0.5) * line.step);
    const panels = [
      { unit: 'output tokens/s', height: 120, rows: [{ values: line.tokens, colour: 'blue', fill: true }] },
      { unit: 'TTFT, ms', height: 150, dots: data.dots,
        rows: [{ values: line.ttft_p50, colour: 'teal' }, { values: line.ttft_p99, colour: 'orange' }] },
      { unit: 'requests in flight', height: 80, rows: [{ values: line.in_flight, colour: 'purple', fill: true }] },
    ];
    const lost = line.truncated.map((_, i) => line.truncated[i] + line.failed[i] + line.rejected[i]);
    if (most(lost) > 0) {
      panels.push({ unit: 'lost requests', height: 70, bars: [[line.truncated, 'orange'], [line.failed, 'red'], [line.rejected, 'grey']], top: most(lost), rows: [] });
    }
    const gap = 44;
    const height = panels.reduce((sum, panel) => sum + panel.height + gap, 0) + 6;
    plot('timeline', height, 'the run second by second', (svg, width) => {
      const left = 56;
      const right = width - 14;
      const end = Math.max(line.step * line.tokens.length, 1e-9);
      const x = (at) => left + (Math.min(at, end) / end) * (right - left);
      let top = 30;
      const first = top;
      for (const panel of panels) {
        const box = { left, right, top, bottom: top + panel.height };
        for (const [a, b] of [[0, line.steady_begin], [line.steady_end, end]]) {
          if (b - a > end / 500) svg.append(element('rect', { class: 'shade', x: x(a), width: x(b) - x(a), y: box.top, height: panel.height }));
        }
        const cap = panel.top ?? Math.max(...panel.rows.map((row) => most(row.values)));
        const y = valueAxis(svg, box, cap, panel.unit, panel.height > 100 ? 3 : 2);
        for (const [at, ms, kind] of panel.dots ?? []) {
          if (kind === 0) svg.append(element('circle', { cx: x(at).toFixed(1), cy: Math.max(box.top, y(ms)).toFixed(1), r: 1.7, fill: 'var(--teal)', opacity: 0.45 }));
          else svg.append(element('path', { d: `M${x(at) - 3} ${box.bottom - 6}l6 6m0-6l-6 6`, stroke: 'var(--red)', 'stroke-width': 1.6 }));
        }
        for (const row of panel.rows) {
          const points = row.values.map((value, i) => [seconds[i], value]);
          if (row.fill && points.length) {
            const shape = `${path(points, x, y)}L${x(seconds[seconds.length - 1])} ${y(0)}L${x(seconds[0])} ${y(0)}Z`;
            svg.append(element('path', { d: shape, fill: `var(--${row.colour})`, opacity: 0.14 }));
          }
          svg.append(element('path', { d: path(points, x, y), fill: 'none', stroke: `var(--${row.colour})`, 'stroke-width': 1.8, 'stroke-linejoin': 'round' }));
        }
        const wide = Math.max(1, (right - left) / Math.max(1, seconds.length) - 1);
        (panel.bars?.[0][0] ?? []).forEach((_, i) => {
          let base = 0;
          for (const [values, colour] of panel.bars) {
            if (!values[i]) continue;
            svg.append(element('rect', { x: x(i * line.step), width: wide, y: y(base + values[i]), height: y(base) - y(base + values[i]), fill: `var(--${colour})` }));
            base += values[i];
          }
        });
        top = box.bottom + gap;
      }
      const bottom = top - gap;
      for (const step of ticks(end, Math.max(2, Math.floor(width / 110)))) {
        if (step > end) continue;
        svg.append(element('text', { x: x(step), y: bottom + 18, 'text-anchor': 'middle' }, `${number(step)} s`));
      }
      data.chaos.forEach((event, i) => {
        svg.append(element('line', { class: 'event', x1: x(event.at), x2: x(event.at), y1: first - 4, y2: bottom }),
          element('circle', { class: 'flag', cx: x(event.at), cy: first - 13, r: 9 }),
          element('text', { class: 'flag-text', x: x(event.at), y: first - 9, 'text-anchor': 'middle' }, String(i + 1)));
      });
      const cross = element('line', { class: 'cross', y1: first, y2: bottom, opacity: 0 });
      const area = element('rect', { x: left, y: first, width: right - left, height: bottom - first, fill: 'transparent' });
      area.addEventListener('pointermove', (event) => {
        const at = (event.clientX - svg.getBoundingClientRect().left - left) / (right - left) * end;
        const i = Math.max(0, Math.min(seconds.length - 1, Math.floor(at / line.step)));
        cross.setAttribute('x1', x(seconds[i]));
        cross.setAttribute('x2', x(seconds[i]));
        cross.setAttribute('opacity', 1);
        const value = (values, unit = '') => values[i] === null ? '-' : number(values[i]) + unit;
        const near = data.chaos.filter((one) => Math.abs(one.at - at) < end / 60).map((one) => `\n${one.text}`).join('');
        showTip(event, `${number(i * line.step)} s\n${value(line.tokens)} tokens/s, ${value(line.in_flight)} in flight\n` +
          `TTFT p50 ${value(line.ttft_p50, ' ms')}, p99 ${value(line.ttft_p99, ' ms')}\nITL p99 ${value(line.itl_p99, ' ms')}\n` +
          `lost ${lost[i]}, tester late ${value(line.lag, ' ms')}${near}`);
      });
      area.addEventListener('pointerleave', () => { cross.setAttribute('opacity', 0); hideTip(); });
      svg.append(cross, area);
    });
  };

  // From the median (dot) to the p99 (bar's end), a row a backend.
  const rangePlot = (id, key, name, colour) => {
    const rows = data.backends.filter((backend) => backend[key]);
    if (!rows.length) return;
    const height = 40 + rows.length * 24;
    plot(id, height, `${name} by backend`, (svg, width) => {
      const left = Math.min(170, width * 0.35);
      const steps = ticks(most(rows.map((row) => row[key][1])), 4);
      const high = steps[steps.length - 1];
      const x = (value) => left + (value / high) * (width - 34 - left);
      for (const step of steps) {
        svg.append(element('line', { class: 'grid', x1: x(step), x2: x(step), y1: 8, y2: height - 26 }),
          element('text', { x: x(step), y: height - 8, 'text-anchor': 'middle' }, short(step) + (step === high ? ' ms' : '')));
      }
      rows.forEach((row, i) => {
        const y = 20 + i * 24;
        const [p50, p99] = row[key];
        const label = element('text', { class: 'strong', x: 0, y: y + 4 }, row.name.length > 22 ? row.name.slice(0, 21) + '…' : row.name);
        const bar = element('rect', { x: x(p50), width: Math.max(1, x(p99) - x(p50)), y: y - 3, height: 6, rx: 3, fill: `var(--${colour})`, opacity: 0.35 });
        const area = element('rect', { x: 0, y: y - 12, width, height: 24, fill: 'transparent' });
        area.addEventListener('pointermove', (event) => showTip(event, `${row.name}\np50 ${number(p50)} ms, p99 ${number(p99)} ms`));
        area.addEventListener('pointerleave', hideTip);
        svg.append(label, bar, element('circle', { cx: x(p50), cy: y, r: 5, fill: `var(--${colour})` }), area);
      });
    });
  };

  // Of a sweep: what each load came to.
  const stepPlot = (id, key, unit, colour) => plot(id, 230, `${unit} by load`, (svg, width) => {
    const box = { left: 56, right: width - 18, top: 26, bottom: 192 };
    const rows = [...data.steps].sort((a, b) => a.value - b.value);
    const steps = ticks(most(rows.map((row) => row.value)), 5);
    const x = (value) => box.left + (value / steps[steps.length - 1]) * (box.right - box.left);
    const y = valueAxis(svg, box, most(rows.map((row) => row[key])), unit);
    for (const step of steps) svg.append(element('text', { x: x(step), y: box.bottom + 18, 'text-anchor': 'middle' }, short(step)));
    svg.append(element('text', { x: box.right, y: box.bottom + 34, 'text-anchor': 'end' }, data.step_unit),
      element('path', { d: path(rows.map((row) => [row.value, row[key]]), x, y), fill: 'none', stroke: `var(--${colour})`, 'stroke-width': 2 }));
    for (const row of rows) {
      const dot = element('circle', { cx: x(row.value), cy: y(row[key] ?? 0), r: 5, fill: row.good ? `var(--${colour})` : 'var(--card)', stroke: `var(--${colour})`, 'stroke-width': 2 });
      dot.addEventListener('pointermove', (event) => showTip(event, `${row.load}\n${number(row[key] ?? 0)} ${unit}\n${row.verdict}`));
      dot.addEventListener('pointerleave', hideTip);
      svg.append(dot);
    }
  });

  data.measures.forEach((measure, i) => percentilePlot(`measure-${i}`, measure));
  if (data.timeline) timelinePlot();
  rangePlot('backend-ttft', 'ttft', 'TTFT', 'teal');
  rangePlot('backend-tpot', 'tpot', 'TPOT', 'blue');
  stepPlot('step-ttft', 'ttft_p99', 'TTFT p99, ms', 'orange');
  stepPlot('step-tokens', 'tokens', 'output tokens/s', 'blue');
})();
