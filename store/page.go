package store

import (
	"fmt"
	"strconv"
)

// A Page says where a list goes on. Its zero value is the beginning of the list.
type Page struct {
	After string // what the page before said comes next
	Limit int    // 100 when 0
}

// rows is how many rows are read for a page: one more than it shows, which tells whether there is a next one.
func (p Page) rows() int32 { return int32(p.limit()) + 1 }

func (p Page) limit() int {
	const most = 1000
	if p.Limit <= 0 {
		return 100
	}
	return min(p.Limit, most)
}

// number reads After, the number of the last row of the page before.
func (p Page) number(beginning int64) (int64, error) {
	if p.After == "" {
		return beginning, nil
	}
	n, err := strconv.ParseInt(p.After, 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%w: begin the list anew", ErrPage)
	}
	return n, nil
}

// cut takes away the row that only tells that there is a next page, and says how that one is asked for.
func cut[R any](p Page, rows []R, number func(R) int64) (shown []R, next string) {
	if len(rows) <= p.limit() {
		return rows, ""
	}
	shown = rows[:p.limit()]
	return shown, strconv.FormatInt(number(shown[len(shown)-1]), 10)
}
