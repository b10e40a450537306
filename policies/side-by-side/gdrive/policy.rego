# The rules of policy.dpl in Rego. world.above leads from a document or folder to the folder it lies in.
package gdrive

default allow := false

person := data.world.persons[input.person]

lies_in := graph.reachable(data.world.above, {input.resource})

owner_actions := {"read", "write", "share", "change_owner"}

folder_actions := {"read", "write", "share", "create_document"}

allow if {
	input.action == "read"
	data.world.public[input.resource]
}

allow if {
	input.action == "read"
	some place in person.views
	place in lies_in
}

allow if {
	input.action == "read"
	some group in person.groups
	some place in data.world.groups[group]
	place in lies_in
}

allow if {
	input.action in owner_actions
	input.resource in person.documents
}

allow if {
	input.action in folder_actions
	some place in person.folders
	place in lies_in
}
