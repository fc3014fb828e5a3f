package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"musterline.example/source"
)

// A handle is an open file, as *os.File is one.
type handle interface {
	io.ReadCloser
	Stat() (fs.FileInfo, error)
}

func openFile(path string) (handle, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err // not f: a nil *os.File in an interface is not nil
	}
	return f, nil
}

// opened is a file that was read and is still open, so that it can be asked whether it stood still meanwhile.
type opened struct {
	handle handle
	path   string
	data   []byte
	size   int64
	at     time.Time
}

// limit is more than any directory we know of needs: 100,000 users in 10,000 groups are 30 MB.
const limit = 1 << 29

func readFile(ctx context.Context, open func(string) (handle, error), path string) (_ *opened, err error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	f, err := open(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	defer func() {
		if err != nil {
			_ = f.Close() // the error is told already
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, unreadable(path, err)
	}
	if info.IsDir() {
		return nil, &source.Error{State: "file-unreadable", Message: path + " is a folder", Fix: "name the file in it"}
	}
	if info.Size() > limit {
		return nil, &source.Error{State: "file-too-large", Message: fmt.Sprintf("%s has %d bytes, more than %d", path, info.Size(), limit), Fix: "split it into several sources"}
	}
	data, err := io.ReadAll(io.LimitReader(f, limit))
	if err != nil {
		return nil, unreadable(path, err)
	}
	o := &opened{handle: f, path: path, data: data, size: info.Size(), at: info.ModTime()}
	if err := o.unchanged(); err != nil {
		return nil, err
	}
	return o, nil
}

// unchanged returns an error when the file is not as it was when it was opened. A file that was replaced by renaming another over it stays,
// under our handle, what it was.
func (o *opened) unchanged() error {
	info, err := o.handle.Stat()
	if err != nil {
		return unreadable(o.path, err)
	}
	// What is no regular file, such as a pipe from `<(…)`, has no size to compare with.
	if info.Mode().IsRegular() && (info.Size() != o.size || !info.ModTime().Equal(o.at) || int64(len(o.data)) != o.size) {
		return &source.Error{
			State: "file-changed", Message: o.path + " changed while it was read", Retry: true,
			Fix: "read it again when it is written; a program that writes it should write to another name and rename it",
		}
	}
	return nil
}

func unreadable(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &source.Error{State: "file-missing", Message: path + " does not exist", Fix: "create it, or correct the path in the configuration", Err: err}
	case errors.Is(err, fs.ErrPermission):
		return &source.Error{State: "file-unreadable", Message: path + " may not be read", Fix: "give the user that runs musterline permission to read it", Err: err}
	}
	return &source.Error{State: "file-unreadable", Message: fmt.Sprintf("read %s: %v", path, err), Retry: true, Err: err}
}
