# The rules of policy.dpl in Rego. world.groups leads from a person or team to the teams it is in.
package tinytodo

default allow := false

edit_actions := {"update_list", "create_task", "update_task", "delete_task"}

list := data.world.lists[input.resource]

teams := graph.reachable(data.world.groups, {input.person})

allow if {
	input.action in {"create_list", "get_lists"}
	input.resource == "tiny"
}

allow if list.owner == input.person

allow if {
	input.action == "get_list"
	list.readers in teams
}

allow if {
	input.action == "get_list"
	list.editors in teams
}

allow if {
	input.action in edit_actions
	list.editors in teams
}
