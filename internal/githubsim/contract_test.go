package githubsim_test

import (
	"testing"

	"musterline.example/internal/githubsim"
	"musterline.example/internal/githubsim/contracttest"
)

func TestSchemaIsAnExtract(t *testing.T) {
	whole, err := contracttest.GraphQLSchema.Read()
	if err != nil {
		contracttest.Without(t, err)
	}
	differences, err := githubsim.CompareSchema(string(whole))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range differences {
		t.Error(d)
	}
}
