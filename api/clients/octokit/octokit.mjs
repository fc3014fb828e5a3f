// Octokit with its plugin for GitHub Enterprise Cloud against the server at baseUrl. It prints what it has seen as one object of JSON; the
// test in Go judges it.
//
// node octokit.mjs BASE_URL OWNERS_TOKEN WRONG_TOKEN
import { Octokit } from "@octokit/core";
import { enterpriseCloud } from "@octokit/plugin-enterprise-cloud";
import { paginateRest } from "@octokit/plugin-paginate-rest";

const [baseUrl, auth, wrong] = process.argv.slice(2);
const Client = Octokit.plugin(enterpriseCloud, paginateRest);
const log = { debug() {}, info() {}, warn() {}, error() {} };
const octokit = new Client({ baseUrl, auth, log });

const org = "octo-org";
const team_slug = "platform";
const admins = { group_id: "people:123", group_name: "Octocat admins", group_description: "The people who configure your octoworld." };
const docs = { group_id: "people:456", group_name: "Docs", group_description: "" };
const seen = {};

async function refused(promise) {
  try {
    const { status } = await promise;
    return { status };
  } catch ({ name, status, message, response }) {
    return { name, status, message, data: response?.data };
  }
}

// One page, then all of them: paginate follows Link as it stands, and gives one object for each page.
const first = await octokit.teams.listIdpGroupsForOrg({ org, per_page: 100 });
seen.firstPage = first.data.groups.length;
const pages = await octokit.paginate("GET /orgs/{org}/team-sync/groups", { org, per_page: 100 });
seen.pages = pages.map((page) => page.groups.length);
const flat = await octokit.paginate("GET /orgs/{org}/team-sync/groups", { org, per_page: 100 }, (page) => page.data.groups);
seen.different = new Set(flat.map((group) => group.group_id)).size;
seen.iterated = 0;
for await (const page of octokit.paginate.iterator("GET /orgs/{org}/team-sync/groups", { org })) {
  seen.iterated += page.data.groups.length;
}
const beginning = await octokit.request("GET /orgs/{org}/team-sync/groups", { org, q: "octocat" });
seen.beginning = beginning.data.groups.map((group) => group.group_id);

// The methods of the plugin.
const put = await octokit.teams.createOrUpdateIdpGroupConnectionsInOrg({ org, team_slug, groups: [admins, docs] });
seen.put = put.data.groups.map((group) => group.group_id);
const got = await octokit.teams.listIdpGroupsInOrg({ org, team_slug });
seen.got = got.data.groups.map(({ group_id, group_name, group_description }) => ({ group_id, group_name, group_description }));

// What has not changed.
const etag = (await octokit.request("GET /orgs/{org}/team-sync/groups", { org })).headers.etag;
const unchanged = await refused(octokit.request("GET /orgs/{org}/team-sync/groups", { org, headers: { "if-none-match": etag } }));
seen.unchanged = unchanged.status;

// The paths that have no method.
const { data: team } = await octokit.request("GET /orgs/{org}/teams/{team_slug}", { org, team_slug });
const ids = { org_id: team.organization.id, team_id: team.id };
seen.url = team.url;
const byID = await octokit.request("PATCH /organizations/{org_id}/team/{team_id}/team-sync/group-mappings", { ...ids, groups: [docs] });
seen.byID = byID.data.groups.map((group) => group.group_id);
const legacy = await octokit.request("PATCH /teams/{team_id}/team-sync/group-mappings", { team_id: team.id, groups: [admins], synced_at: "now" });
seen.legacy = legacy.data.groups.map((group) => group.group_id);

// Refusals. An address that is not a template leaves its parameters in the body.
seen.sixth = await refused(octokit.teams.createOrUpdateIdpGroupConnectionsInOrg({ org, team_slug, groups: flat.slice(0, 6) }));
seen.keys = await refused(octokit.request(`PATCH /orgs/${org}/teams/${team_slug}/team-sync/group-mappings`, { org, team_slug, groups: [] }));
seen.nowhere = await refused(octokit.teams.listIdpGroupsInOrg({ org, team_slug: "nowhere" }));
seen.wrong = await refused(new Client({ baseUrl, auth: wrong, log }).teams.listIdpGroupsInOrg({ org, team_slug }));
seen.kept = (await octokit.teams.listIdpGroupsInOrg({ org, team_slug })).data.groups.map((group) => group.group_id);

const emptied = await octokit.teams.createOrUpdateIdpGroupConnectionsInOrg({ org, team_slug, groups: [] });
seen.emptied = emptied.data;
console.log(JSON.stringify(seen));
