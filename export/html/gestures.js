// SPDX-License-Identifier: MIT
// What fingers do on the timeline, and drags that choose a stretch of time.

const TAP_PX = 8; // a finger that moves less has tapped

class Gestures {
  // `timeline`: Timeline; told: range(from, to, done), choosing(): whether a drag chooses.
  constructor(canvas, timeline, told) {
    Object.assign(this, { canvas, timeline, told, fingers: new Map(), anchor: null });
    const on = (event, act, options) => canvas.addEventListener(event, act, { capture: true, ...options });
    on('pointerdown', (event) => this.down(event));
    on('pointermove', (event) => this.move(event));
    on('pointerup', (event) => this.up(event));
    on('pointercancel', (event) => this.up(event));
    // The library moves the view by the mouse: not while a stretch is chosen.
    for (const event of ['mousedown', 'mousemove', 'mouseup'])
      on(event, (mouse) => this.anchor !== null && mouse.stopImmediatePropagation());
  }

  x(event) {
    return event.clientX - this.canvas.getBoundingClientRect().left;
  }

  down(event) {
    const touch = event.pointerType === 'touch';
    if (touch) {
      event.preventDefault(); // no mouse behind it
      this.canvas.focus();
      this.fingers.set(event.pointerId, { x: event.clientX, y: event.clientY, far: 0 });
    }
    if (event.button !== 0 || this.fingers.size > 1 || !(event.shiftKey || this.told.choosing()))
      return;
    this.anchor = this.timeline.timeAt(this.x(event));
    this.moved = false;
    this.canvas.setPointerCapture(event.pointerId);
  }

  move(event) {
    if (this.anchor !== null && this.fingers.size < 2) {
      this.moved = true;
      this.told.range(this.anchor, this.timeline.timeAt(this.x(event)), false);
      return;
    }
    const finger = this.fingers.get(event.pointerId);
    if (!finger)
      return;
    const others = [...this.fingers.entries()].filter(([id]) => id !== event.pointerId).map(([, one]) => one);
    if (others.length === 0)
      this.drag(finger, event);
    else {
      finger.far = others[0].far = TAP_PX;
      this.pinch(finger, others[0], event);
    }
    Object.assign(finger, { x: event.clientX, y: event.clientY });
  }

  drag(finger, { clientX, clientY }) {
    const [start, end] = this.timeline.view();
    const perPx = (end - start) / this.canvas.clientWidth;
    finger.far += Math.abs(clientX - finger.x) + Math.abs(clientY - finger.y);
    if (finger.far < TAP_PX)
      return;
    this.timeline.show(start - (clientX - finger.x) * perPx, end - (clientX - finger.x) * perPx);
    this.timeline.scrollRows(finger.y - clientY);
  }

  // What is below each of both fingers stays there.
  pinch(finger, other, { clientX }) {
    const left = this.canvas.getBoundingClientRect().left;
    const times = [finger.x, other.x].map((x) => this.timeline.timeAt(x - left));
    const apart = clientX - other.x;
    if (Math.abs(apart) < TAP_PX)
      return;
    const perPx = Math.abs((times[0] - times[1]) / apart) || 1;
    const start = times[1] - (other.x - left) * perPx;
    this.timeline.show(start, start + this.canvas.clientWidth * perPx);
  }

  up(event) {
    const finger = this.fingers.get(event.pointerId);
    this.fingers.delete(event.pointerId);
    if (this.anchor === null) {
      if (finger && finger.far < TAP_PX && event.type === 'pointerup')
        this.timeline.tap(this.x(event), event.clientY - this.canvas.getBoundingClientRect().top);
      return;
    }
    if (this.moved)
      this.told.range(this.anchor, this.timeline.timeAt(this.x(event)), true);
    // The mouse's own event comes behind this one.
    setTimeout(() => { this.anchor = null; }, 0);
  }
}
