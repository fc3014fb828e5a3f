package answer

import (
	"context"
	"strconv"

	"musterline.example/config"
	"musterline.example/store"
)

// TryRow checks a source or a target as it would be, before it is saved: it is opened and reached with what was sent, and nothing of it is kept.
// A wish without a name is for one that has none yet. A secret that is left out is the one that the row of that name has, unless it would
// reach another address.
func (h *House) TryRow(ctx context.Context, wish RowWish) (Checked, error) {
	if wish.Section != config.SourcesSection && wish.Section != config.TargetsSection {
		return Checked{}, Usagef("only sources and targets can be reached")
	}
	named := wish.Name
	for i := 0; wish.Name == ""; i++ {
		name := "unsaved"
		if i > 0 {
			name += strconv.Itoa(i)
		}
		if h.Config.Sources[name].Kind == "" && h.Config.Targets[name].Kind == "" {
			wish.Name = name
		}
	}
	c, err := h.drafted(ctx, wish)
	if err != nil {
		return Checked{}, err
	}
	n := h.With(c)
	n.Store, n.meter = nil, nil // no hints are kept, and nobody counts calls for a name that there is not
	var checked Checked
	if wish.Section == config.SourcesSection {
		checked, _ = n.checkSource(ctx, wish.Name)
	} else {
		checked = n.checkTarget(ctx, wish.Name)
	}
	checked.Name = named
	return checked, nil
}

// drafted is the configuration as it would be with a row, checked as PutRow does.
func (h *House) drafted(ctx context.Context, wish RowWish) (*config.Config, error) {
	if err := h.mayConfigure(wish); err != nil {
		return nil, err
	}
	if err := h.readOnly(wish.Section, wish.Name); err != nil {
		return nil, err
	}
	wish.Version = store.AnyVersion // it goes over nobody's change: nothing is saved
	d, err := h.draft(ctx, wish)
	return d.config, err
}

// DraftRow checks what a row would be, and does nothing. What is wrong is an error as PutRow has it.
func (h *House) DraftRow(ctx context.Context, wish RowWish) error {
	_, err := h.drafted(ctx, wish)
	return err
}
