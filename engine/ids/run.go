package ids

// fence[b] is where the records of bucket b of a sorted sequence begin, about perBucket of them. Keys
// are evenly spread, so the bucket of a key is found by arithmetic and no tree is needed.
type fence []uint32

// perBucket is how many records a look-up reads on average: a bucket is six cache lines.
const perBucket = 16

// fencing builds a fence from the keys of a sequence in their order.
type fencing struct {
	fence fence
	next  int
	n     uint32
}

func newFencing(n int) fencing { return fencing{fence: make(fence, n/perBucket+2)} }

func (x *fencing) add(k Key) {
	for b := bucket(k, len(x.fence)-1); x.next <= b; x.next++ {
		x.fence[x.next] = x.n
	}
	x.n++
}

func (x *fencing) end() fence {
	for ; x.next < len(x.fence); x.next++ {
		x.fence[x.next] = x.n
	}
	return x.fence
}

// place is where the record of a key can be: from i to before j.
func (f fence) place(k Key) (i, j uint32) {
	b := bucket(k, len(f)-1)
	return f[b], f[b+1]
}

// run is a sorted sequence of records in a file. It needs 0.27 bytes of memory per record.
type run struct {
	blocks []uint32
	n      int
	fence  fence
}

// find reads the bucket of a key and returns its record, if it exists, and its position.
func (r *run) find(f *file, k Key) (found record, at int64, ok bool, err error) {
	if r.n == 0 {
		return found, 0, false, nil
	}
	buf := f.buffers.Get().(*block)
	defer f.buffers.Put(buf)
	i, j := r.fence.place(k)
	for i < j {
		first := i % perBlock
		some := buf[:min(j-i, perBlock-first)]
		at := int64(r.blocks[i/perBlock])*blockBytes + int64(first)*recordBytes
		if err := f.read(at, some); err != nil {
			return found, 0, false, err
		}
		for n := range some {
			if some[n].key == k {
				return some[n], at + int64(n)*recordBytes, true, nil
			}
		}
		i += uint32(len(some))
	}
	return found, 0, false, nil
}

// runWriter writes a run, record after record in their order.
type runWriter struct {
	f       *file
	run     run
	fencing fencing
	buf     []record
}

// newRun begins a run of n records.
func (f *file) newRun(n int) *runWriter {
	return &runWriter{
		f: f, run: run{n: n, blocks: make([]uint32, 0, (n+perBlock-1)/perBlock)},
		fencing: newFencing(n), buf: make([]record, 0, perBlock),
	}
}

func (w *runWriter) add(r record) error {
	w.fencing.add(r.key)
	w.buf = append(w.buf, r)
	if len(w.buf) < perBlock {
		return nil
	}
	return w.flush()
}

func (w *runWriter) flush() error {
	err := w.f.append(&w.run.blocks, w.buf)
	w.buf = w.buf[:0]
	return err
}

func (w *runWriter) end() (run, error) {
	if len(w.buf) > 0 {
		if err := w.flush(); err != nil {
			return run{}, err
		}
	}
	w.run.fence = w.fencing.end()
	return w.run, nil
}

// sequence yields records in the order of their keys.
type sequence interface {
	next() (r record, more bool, err error)
}

// cursor walks a run.
type cursor struct {
	f    *file
	run  run
	i    int
	buf  block
	some []record // of buf: the rest
}

func (c *cursor) next() (record, bool, error) {
	if len(c.some) == 0 {
		if c.i == c.run.n {
			return record{}, false, nil
		}
		c.some = c.buf[:min(perBlock, c.run.n-c.i)]
		if err := c.f.read(int64(c.run.blocks[c.i/perBlock])*blockBytes, c.some); err != nil {
			return record{}, false, err
		}
		c.i += len(c.some)
	}
	r := c.some[0]
	c.some = c.some[1:]
	return r, true, nil
}

// merge writes a run of n records from sequences without common keys.
func (f *file) merge(n int, from []sequence) (run, error) {
	w := f.newRun(n)
	heads := make([]record, 0, len(from))
	live := make([]sequence, 0, len(from))
	for _, s := range from {
		r, more, err := s.next()
		if err != nil {
			return run{}, err
		}
		if more {
			heads, live = append(heads, r), append(live, s)
		}
	}
	for len(live) > 0 {
		least := 0
		for i := range heads {
			if heads[i].key.compare(heads[least].key) < 0 {
				least = i
			}
		}
		if err := w.add(heads[least]); err != nil {
			return run{}, err
		}
		r, more, err := live[least].next()
		if err != nil {
			return run{}, err
		}
		if more {
			heads[least] = r
			continue
		}
		last := len(live) - 1
		heads[least], live[least] = heads[last], live[last]
		heads, live = heads[:last], live[:last]
	}
	return w.end()
}
