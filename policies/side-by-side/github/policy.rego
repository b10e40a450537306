# The rules of policy.dpl in Rego. world.groups leads from a person or group to the groups it is in.
package github

default allow := false

holds := graph.reachable(data.world.groups, {input.person})

allow if data.world.repositories[input.resource].groups[input.action] in holds

allow if {
	org := data.world.repositories[input.resource].org
	data.world.orgs[org][input.action] in holds
}
