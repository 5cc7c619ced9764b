/** A preload: the wall clock jumps an hour back and forth, ten times a second. The monotonic one does not. */
const real = Date.now
let ahead = false
setInterval(() => {
  ahead = !ahead
}, 100).unref()
Date.now = () => real() + (ahead ? 3_600_000 : -3_600_000)
