# The rules of policy.dpl in Rego. Amounts are cents.
package purchase

default decision := {"allow": false, "because": "nothing permits it"}

decision := {"allow": true, "by": "small", "because": "Buyers settle routine purchases themselves"} if {
	input.action == "approve"
	person.role == "buyer"
	input.amount <= 500000
	agent_may
} else := {"allow": true, "by": "large", "because": "Finance managers answer for their own department's budget"} if {
	input.action == "approve"
	person.role == "finance_manager"
	person.department == data.world.purchases[input.purchase].department
	input.amount <= 5000000
	agent_may
} else := {"allow": true, "by": "look", "because": "One sees what one's own department buys"} if {
	input.action == "view"
	person.role in {"buyer", "finance_manager"}
	person.department == data.world.purchases[input.purchase].department
	agent_may
}

person := data.world.persons[input.person]

agent_may if {
	agent := data.world.agents[input.agent]
	agent.active
	input.action in agent.scopes
}
