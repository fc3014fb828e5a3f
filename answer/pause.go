package answer

import (
	"context"
	"strings"

	"musterline.example/reconcile"
)

// A PauseWish asks to stop a target, or to start it again.
type PauseWish struct {
	Target string `json:"target"`
	By     string `json:"by,omitempty"`
	Reason string `json:"reason,omitempty"` // needed to pause
}

// A Pausing is what became of a target.
type Pausing struct {
	Target    string `json:"target"`
	Paused    *Pause `json:"paused,omitempty"` // left out while it runs
	WasPaused bool   `json:"was_paused"`
}

// Pause stops all changes to a target until Resume.
func (h *House) Pause(ctx context.Context, wish PauseWish) (Pausing, error) {
	if strings.TrimSpace(wish.Reason) == "" {
		return Pausing{}, Usagef("a pause needs a reason, for whoever finds it")
	}
	was, err := h.pausable(ctx, wish.Target)
	if err != nil {
		return Pausing{}, err
	}
	p := Pause{By: wish.By, Reason: wish.Reason, At: h.now()}
	if err := h.Store.Pause(ctx, wish.Target, reconcile.Pause(p)); err != nil {
		return Pausing{}, err
	}
	return Pausing{Target: wish.Target, Paused: &p, WasPaused: was != nil}, nil
}

// Resume ends a pause. Nothing is changed by it: the next sync does what is due, for which a server is asked with it.
func (h *House) Resume(ctx context.Context, wish PauseWish) (Pausing, error) {
	if _, err := h.pausable(ctx, wish.Target); err != nil {
		return Pausing{}, err
	}
	was, err := h.Store.Resume(ctx, wish.Target, signed(wish.By, wish.Reason), h.following(reconcile.Request{
		Target: wish.Target, Trigger: reconcile.ByPerson, Asker: wish.By, Why: "the target was resumed",
	})...)
	return Pausing{Target: wish.Target, WasPaused: was}, err
}

func (h *House) pausable(ctx context.Context, target string) (*Pause, error) {
	if err := OneOf("target", target, h.targetNames()); err != nil {
		return nil, err
	}
	if err := h.writes(); err != nil {
		return nil, err
	}
	return h.paused(ctx, target)
}

// signed is who does something, with the reason that they give.
func signed(by, reason string) string {
	if reason == "" {
		return by
	}
	return by + ": " + reason
}

// paused says by whom a target is paused, since when and why; nil when it runs.
func (h *House) paused(ctx context.Context, target string) (*Pause, error) {
	p, err := h.deps.Memory.Paused(ctx, target)
	if err != nil || p.By == "" {
		return nil, err
	}
	paused := Pause(p)
	return &paused, nil
}
