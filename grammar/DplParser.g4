// The sentences of DPL. Every rule has an example above it; README.md says how to read and regenerate this file.
//
// Shape of the language: a file is a package line, imports, file settings and declarations; a declaration is a head and
// a block of clauses; a clause begins with a keyword and ends where the next one begins. Hence the invariant that
// tests/unit/syntax checks: no clause starts with a token that can continue an expression.
// A rule whose name ends in Clause (and `step`, `datum`) is what one line of a formatted file holds, and what recovery
// skips when it is wrong.
parser grammar DplParser;
options { tokenVocab = DplLexer; }

// ------------------------------------------------------------------------------------------------ the file

// package acme.base owned by team platform   import acme.spend   timezone "Europe/Berlin"   team platform { … }
file : packageLine headLine* declaration* EOF ;

// package acme.demo owned by team finance
packageLine : PACKAGE qname (OWNED BY TEAM qname)? ;

// import acme.base as base   |   timezone "Europe/Berlin"   |   granted 2026-09-01
headLine : importLine | timezoneLine | grantedLine | reviewLine | requiresLine ;

// import acme.base   |   import acme.base as base
importLine : IMPORT qname (AS name)? ;
// timezone "America/New_York"
timezoneLine : TIMEZONE STRING ;
// granted 2026-09-01            (default of every grant below)
grantedLine : GRANTED DATE ;
// review every 365d             (default of every statement below)
reviewLine : REVIEW EVERY DURATION ;
// requires ticket, approval     (this package is governed: its grants must carry them)
requiresLine : REQUIRES name (COMMA name)* ;

// any one of the declarations below
declaration
  : constDecl | enumDecl | functionDecl | calendarDecl | personDecl | teamDecl | roleDecl | contextDecl | systemDecl
  | resourceDecl | activityDecl | ownerDecl | grantDecl | limitDecl | forbidDecl | agentDecl | delegationDecl | taskDecl
  | approvalDecl | obligationDecl | separateDecl | breakGlassDecl | partnerDecl | dataDecl | testDecl
  ;

// ------------------------------------------------------------------------------------------------ vocabulary

// const small_purchase: money = 500 USD
constDecl : CONST name (COLON type)? ASSIGN expr ;

// enum Region { emea, amer }   |   enum Class { public < internal < secret }      ('<' makes it ordered)
enumDecl : ENUM name LBRACE name ((COMMA | LT) name)* RBRACE ;

// function mine(r: docs.Document): bool = r.author == person
functionDecl : FUNCTION name LPAREN params? RPAREN COLON type ASSIGN expr ;
// r: docs.Document, n: int
params : param (COMMA param)* ;
// r: docs.Document
param : word COLON type ;

// calendar office { zone "Europe/Berlin"  open mon to fri 08:00 to 18:00  closed 2026-12-25, 2026-12-26 }
calendarDecl : CALENDAR name LBRACE calendarClause* RBRACE ;
// open mon to fri 08:00 to 18:00
calendarClause
  : ZONE STRING                                                 # zoneClause
  | OPEN from=WEEKDAY (TO to=WEEKDAY)? begin=TIME TO end=TIME   # openClause
  | CLOSED DATE (COMMA DATE)*                                   # closedClause
  ;

// string   |   docs.Folder?   |   set<string>   |   record { street: string, zip: string }
type : (SET LT type GT | RECORD LBRACE params? RBRACE | qname) QMARK? ;

// ------------------------------------------------------------------------------------------------ organisation

// person { key id: string  has name: string  within manager: Person  known as "user"  source "hr" within 24h }
personDecl : PERSON LBRACE personClause* RBRACE ;
// has name: string
personClause : keyClause | hasClause | knownAsClause | parentClause | sourceClause ;
// source "hr" within 24h
sourceClause : SOURCE STRING (WITHIN DURATION)? ;

// team sales { owner person "E1"  within team staff }
teamDecl : TEAM name LBRACE teamClause* RBRACE ;
// within team staff
teamClause : WITHIN TEAM qname | metaClause ;

// role viewer   |   role editor in app.Project { includes role viewer }   |   role author in app.Doc { where resource.author == person }
roleDecl : ROLE name (IN qname (COMMA qname)*)? (LBRACE roleClause* RBRACE)? ;
// includes role viewer, role commenter
roleClause : INCLUDES ROLE qname (COMMA ROLE qname)* | WHERE expr | metaClause ;

// context { has ip: ip from request }
contextDecl : CONTEXT LBRACE contextClause* RBRACE ;
// has ip: ip from request
contextClause : hasClause ;

// system app   |   system crm { owner team sales  boundary saas  account keyed by login: string  link person by email checked within 30d }
systemDecl : SYSTEM name (LBRACE systemClause* RBRACE)? ;
// account keyed by login: string
systemClause
  : BOUNDARY name                                       # boundaryClause
  | ACCOUNT KEYED BY word COLON type                    # accountClause
  | LINK PERSON BY word CHECKED WITHIN DURATION         # linkClause
  | metaClause                                          # systemMetaClause
  ;

// resource Doc in app { key id: string  within folder: app.Folder  has class: Class  can read, update  known as "doc" }
resourceDecl : RESOURCE name IN qname (LBRACE resourceClause* RBRACE)? ;
// can read, update
resourceClause : keyClause | hasClause | knownAsClause | parentClause | canClause | metaClause ;

// key id: string   |   key sku: string fold ascii matches "[a-z0-9-]+"
keyClause : KEY word COLON type (FOLD ASCII | MATCHES STRING)* ;
// has owner: Person from request as "ownerID"   |   has tags: set<string> = {}
hasClause : HAS word COLON type (ASSIGN expr)? (FROM REQUEST)? wire? ;
// as "tools/list"
wire : AS STRING ;
// known as "user", "identity"
knownAsClause : KNOWN AS STRING (COMMA STRING)* ;
// within app.Project   |   within project: app.Project? from request as "projectId"
parentClause : WITHIN (word COLON type | type) (FROM REQUEST)? wire? ;
// can approve { amount: money must be limited } is approve_spend   |   can list as "tools/list"   |   can create { parent: docs.Folder } makes
canClause : CAN action (COMMA action)* (LBRACE canParam (COMMA canParam)* RBRACE)? MAKES? (IS qname (COMMA qname)*)? ;
// list as "tools/list"
action : word wire? ;
// amount: money must be limited
canParam : word COLON type (ASSIGN expr)? wire? (MUST BE LIMITED)? ;

// activity approve_spend { measure amount: money must be limited  limits must agree }
activityDecl : ACTIVITY name LBRACE activityClause* RBRACE ;
// measure amount: money must be limited
activityClause
  : MEASURE word COLON type (MUST BE LIMITED)?          # measureClause
  | LIMITS MUST AGREE (WITHIN word)?                    # agreeClause
  | metaClause                                          # activityMetaClause
  ;

// owner of docs.Document { is team marketing  because "…" }   |   owner of docs.Document in docs.Folder "hr" { is team people }
ownerDecl : OWNER OF qname (IN qname STRING)? LBRACE ownerClause* RBRACE ;
// is team sales, jointly team support
ownerClause : IS ownerRef (COMMA JOINTLY ownerRef)* | metaClause ;
// team sales   |   person "E1"
ownerRef : TEAM qname | PERSON STRING ;

// ------------------------------------------------------------------------------------------------ clauses many blocks share

// because "Marketing works inbound leads in its own region"
metaClause
  : OWNER ownerRef                     # ownedClause
  | BECAUSE STRING                     # becauseClause
  | TICKET STRING                      # ticketClause
  | REVIEW EVERY DURATION              # reviewClause
  | EXPIRES (DATE | DATETIME)          # expiresClause
  ;

// team sales, role manager, person "E1"
subjects : subject (COMMA subject)* ;
// team sales   |   person "E1"   |   any agent   |   everyone   |   public
subject
  : TEAM qname | ROLE qname | PERSON STRING | AGENT qname | ANY AGENT | EVERYONE | PUBLIC | PARTNER qname
  ;

// may read, update on docs.Document where resource.owner == person   |   may activity approve_spend, ask lead
mayClause : MAY reach (COMMA ASK qname)? ;
// any action on docs.Document   |   read on app.Doc, app.Folder   |   activity approve_spend
reach : actions ON selector | ACTIVITY qname (COMMA qname)* ;
// read, update   |   any action
actions : ANY ACTION | word (COMMA word)* ;
// everything in crm   |   docs.Document in { docs.Folder "A", docs.Folder "B" } where resource.class <= Class.internal
selector : (EVERYTHING IN qname | qname (COMMA qname)* STRING? (IN containers)?) (WHERE expr)? ;
// docs.Folder "A"   |   { "/srv/in", "/srv/out" }
containers : container | LBRACE container (COMMA container)* RBRACE ;
// docs.Folder "A"   |   "/srv/out"   |   source
container : qname STRING | STRING | name ;

// limit amount to 5_000 USD each, beyond that ask line up to 10_000 USD   |   no limit on amount because "…"
limitClause : LIMIT limitTerms | NO LIMIT ON word BECAUSE STRING ;
// amount to 20_000 USD per day for each person and agent, beyond that ask cfo was daily_spend
limitTerms : word TO quantity period (FOR EACH path (AND path)*)? (COMMA tier)* (WAS name)? ;
// beyond that ask over_band up to 50_000 USD
tier : BEYOND THAT ASK qname (UP TO quantity)? ;
// 5_000 USD   |   200   |   person.spend_limit
quantity : NUMBER CURRENCY? | path ;
// each   |   per day   |   in any 15m   |   in total
period : EACH | PER (HOUR | DAY | WEEK | MONTH | QUARTER | YEAR) | IN ANY DURATION | IN TOTAL ;

// applies to any agent, team interns
appliesToClause : APPLIES TO subjects ;
// covers any action on docs.Document where resource.locked
coversClause : COVERS reach ;

// trusting request     (this statement may rest on a person's attribute that only the request names)
trustingClause : TRUSTING REQUEST ;

// ------------------------------------------------------------------------------------------------ statements

// grant readers { to team sales  may read on docs.Document  because "…"  expires 2027-01-31 }
grantDecl : GRANT name LBRACE grantClause* RBRACE ;
// to team sales
grantClause
  : TO subjects                        # toClause
  | mayClause                          # grantMayClause
  | limitClause                        # grantLimitClause
  | SUPERSEDES GRANT qname             # supersedesClause
  | APPROVED BY PERSON STRING          # approvedClause
  | GRANTED DATE                       # grantedClause
  | REVIEWED DATE BY PERSON STRING     # reviewedClause
  | IMPORTED FROM STRING               # importedClause
  | trustingClause                     # grantTrustingClause
  | metaClause                         # grantMetaClause
  ;

// limit agents_daily { applies to any agent  covers activity approve_spend  cap amount to 20_000 USD per day for each person  because "…" }
limitDecl : LIMIT name LBRACE limitDeclClause* RBRACE ;
// cap amount to 20_000 USD per day for each person
limitDeclClause : appliesToClause | coversClause | CAP limitTerms | metaClause ;

// forbid locked { covers any action on dc.Doc where resource.locked  unless resource.owner == person  because "Legal hold" }
forbidDecl : FORBID name LBRACE forbidClause* RBRACE ;
// unless resource.owner == person
forbidClause : appliesToClause | coversClause | UNLESS expr | metaClause ;

// agent helper { accountable person "E1"  purpose "…"  runs as spiffe "spiffe://x/helper"  may read on docs.Document  lives at most 1h }
agentDecl : AGENT name LBRACE agentClause* RBRACE ;
// accountable person "E1" else team sales
agentClause
  : ACCOUNTABLE PERSON STRING (ELSE TEAM qname)?                              # accountableClause
  | PURPOSE STRING                                                            # purposeClause
  | RUNS AS name STRING (COMMA STRING)* (ATTESTED WITHIN DURATION)?           # runsAsClause
  | MODES agentMode (COMMA agentMode)*                                                  # modesClause
  | mayClause                                                                 # agentMayClause
  | limitClause                                                               # agentLimitClause
  | LIVES AT MOST DURATION                                                    # livesClause
  | INSTANCES AT MOST NUMBER (IN ANY DURATION)?                               # instancesClause
  | trustingClause                                                            # agentTrustingClause
  | metaClause                                                                # agentMetaClause
  ;
// on_behalf_of
agentMode : IMPERSONATE | ON_BEHALF_OF | STANDING ;

// delegation assist { from everyone  to agent helper  consent every 30d  because "Opt-in" }
delegationDecl : DELEGATION name LBRACE delegationClause* RBRACE ;
// onward to agent reader, at most 1 hop
delegationClause
  : FROM subjects                                                             # fromClause
  | TO subjects                                                               # receiverClause
  | MODE agentMode                                                                 # modeClause
  | mayClause                                                                 # delegationMayClause
  | limitClause                                                               # delegationLimitClause
  | ONLY IN TASK qname (COMMA qname)*                                         # onlyInClause
  | ONWARD TO AGENT qname (COMMA AGENT qname)* COMMA AT MOST NUMBER (HOP | HOPS) # onwardClause
  | CONSENT (EACH TASK | EVERY DURATION | BY POLICY)                          # consentClause
  | LASTS AT MOST DURATION                                                    # delegationLastsClause
  | trustingClause                                                            # delegationTrustingClause
  | metaClause                                                                # delegationMetaClause
  ;

// task summarise(source: docs.Folder, target: docs.Folder) { for agent writer  may read on docs.Document in source  lasts at most 2h  nothing else }
taskDecl : TASK name LPAREN params? RPAREN LBRACE taskClause* RBRACE ;
// for agent writer
taskClause
  : FOR AGENT qname (COMMA AGENT qname)*                # forAgentClause
  | mayClause                                           # taskMayClause
  | limitClause                                         # taskLimitClause
  | LASTS AT MOST DURATION                              # taskLastsClause
  | NOTHING ELSE                                        # nothingElseClause
  | metaClause                                          # taskMetaClause
  ;

// approval over_band { by 1 of role budget_holder  never by the person  within 4h  good for 1 request within 24h  because "…" }
approvalDecl : APPROVAL name LBRACE approvalClause* RBRACE ;
// by 2 of role budget_holder, the manager
approvalClause
  : BY NUMBER OF approver (COMMA approver)*             # byClause
  | NEVER BY party (COMMA party)*                       # neverByClause
  | WITHIN DURATION                                     # withinClause
  | GOOD FOR NUMBER REQUEST WITHIN DURATION             # goodForClause
  | SIGNS STRING                                        # signsClause
  | metaClause                                          # approvalMetaClause
  ;
// the manager   |   role budget_holder
approver : party | subject ;
// the manager
party : THE (PERSON | AGENT | ACCOUNTABLE | MANAGER) ;

// obligation sealed { covers approve on mes.Batch  must step_up "urn:loa:3"  must log  because "…" }
obligationDecl : OBLIGATION name LBRACE obligationClause* RBRACE ;
// must sign meaning "approval"
obligationClause : appliesToClause | coversClause | MUST duty | metaClause ;
// step_up "urn:loa:3"   |   mask salary, notes   |   notify team privacy
duty : STEP_UP STRING | SIGN MEANING STRING | LOG | MASK word (COMMA word)* | NOTIFY ownerRef | ASK qname ;

// separate setup_then_pay { between create on erp.Vendor by resource.id and release on erp.Voucher by resource.vendor  same person within 90d }
separateDecl : SEPARATE name LBRACE separateClause* RBRACE ;
// roles purchaser, payer
separateClause
  : BETWEEN act AND act                                 # betweenClause
  | SAME PERSON WITHIN DURATION                         # samePersonClause
  | ROLES qname COMMA qname                             # rolesClause
  | metaClause                                          # separateMetaClause
  ;
// create on erp.Vendor by resource.id
act : actions ON selector BY path ;

// break_glass ward { who role clinician  may read on ehr.Chart  lifts forbid locked  needs reason  lasts at most 1h  notify team privacy  review within 24h by team audit }
breakGlassDecl : BREAK_GLASS name LBRACE breakGlassClause* RBRACE ;
// lifts forbid restricted_charts
breakGlassClause
  : WHO subjects                                        # whoClause
  | mayClause                                           # breakGlassMayClause
  | LIFTS FORBID qname (COMMA qname)*                   # liftsClause
  | NEEDS name (COMMA name)*                            # needsClause
  | LASTS AT MOST DURATION                              # breakGlassLastsClause
  | NOTIFY ownerRef                                     # notifyClause
  | REVIEW WITHIN DURATION BY ownerRef                  # reviewWithinClause
  | metaClause                                          # breakGlassMetaClause
  ;

// partner globex { issuer "https://id.globex.example"  accepts agents  at most 1 hop  may read on docs.Paper  expires 2027-06-30 }
partnerDecl : PARTNER name LBRACE partnerClause* RBRACE ;
// accepts agents
partnerClause
  : ISSUER STRING                                       # issuerClause
  | ACCEPTS (AGENTS | PERSONS)                          # acceptsClause
  | AT MOST NUMBER (HOP | HOPS)                         # hopsClause
  | mayClause                                           # partnerMayClause
  | limitClause                                         # partnerLimitClause
  | metaClause                                          # partnerMetaClause
  ;

// ------------------------------------------------------------------------------------------------ facts and tests

// data { person "E1" { name = "Sarah" }  team sales has person "E1" }
dataDecl : DATA LBRACE datum* RBRACE ;
// account "sarah.m" in crm is person "E1" checked 2026-10-01
datum
  : PERSON STRING fields?                                                             # personDatum
  | (TEAM | ROLE) qname (IN entity)? HAS member (COMMA member)* (UNTIL (DATE | DATETIME))?  # memberDatum
  | ACCOUNT STRING IN qname IS PERSON STRING CHECKED DATE                             # accountDatum
  | entity (IN entity)? fields?                                                       # entityDatum
  | TASK name ASSIGN qname args BY (AGENT qname | personRef) FOR PERSON STRING (EXPIRES DATETIME)?  # taskDatum
  | CONSENT qname BY PERSON STRING ON DATE                                            # consentDatum
  | USED qname quantity (FOR PERSON STRING)?                                          # usedDatum
  ;
// person "E1"   |   team interns
member : PERSON STRING | TEAM qname ;
// docs.Document "a1"
entity : name (DOT word)+ STRING ;
// { name = "Sarah", region = emea }
fields : LBRACE (fieldInit (COMMA fieldInit)*)? RBRACE ;
// (amount = 5 USD, reason = "…")
args : LPAREN (fieldInit (COMMA fieldInit)*)? RPAREN ;
// region = emea
fieldInit : word ASSIGN expr ;

// test "Sarah reads her own leads" { at 2026-11-20T15:00Z  given { … }  when … expect permit }
testDecl : TEST STRING LBRACE step* RBRACE ;
// when person "E1" does read on docs.Document "a1"
step
  : AT (DATETIME | DATE)                                # atStep
  | ADVANCE DURATION                                    # advanceStep
  | GIVEN LBRACE datum* RBRACE                          # givenStep
  | REVOKE revocable                                    # revokeStep
  | REPEAT NUMBER TIMES LBRACE step* RBRACE             # repeatStep
  | WITH LPAREN name (COMMA name)* RPAREN row+          # withStep
  | WHEN attempt                                        # whenStep
  | EXPECT outcome                                      # expectStep
  | CONFIRM LAST (WITH quantity)?                       # confirmStep
  | CANCEL LAST                                         # cancelStep
  | APPROVE LAST BY PERSON STRING                       # approveStep
  | HAND (hop | personRef) TO hop                       # handStep
  ;
// row (5_000.01 USD, ask over_band)
row : ROW LPAREN cell (COMMA cell)* RPAREN ;
// deny limit.exceeded   |   5_000 USD
cell : ruling (BY qname)? (BOUND BY qname)? | expr ;
// agent reader "r1"   |   account "sarah.m" in crm   |   approval last
revocable
  : PERSON STRING | AGENT qname STRING? | TASK name | GRANT qname | DELEGATION qname | BREAK_GLASS qname | ACCOUNT STRING IN qname | APPROVAL LAST
  | PARTNER qname STRING?
  ;
// agent reader via agent planner for person "E1" in task t1 does read on docs.Document "a1" with key "k1"
attempt : actor DOES word args? ON qname STRING attemptDetail* ;
// agent reader via agent planner for person "E1" in task t1   |   person "E2" for person "E1"   |   partner globex "ana"   |   public
actor
  : hop (VIA hop)* ((VIA personRef)? FOR asking)? (IN TASK name)?
  | foreignHop (VIA foreignHop)* FOR PARTNER qname STRING
  | personRef (FOR asking (IN TASK name)?)?
  | ACCOUNT STRING IN qname
  | PARTNER qname STRING
  | PUBLIC
  ;
// person "E1"   |   account "sarah.m" in crm
asking : personRef | ACCOUNT STRING IN qname ;
// person "E1"
personRef : PERSON STRING ;
// agent "globex-bot"         (a partner's own agent, by the name its partner gives it)
foreignHop : AGENT STRING ;
// agent reader "r1"
hop : AGENT qname STRING? ;
// with key "k1"   |   with context { ip = "10.0.0.1" }   |   with duties log, mask   |   using break_glass ward(reason = "…")
attemptDetail
  : USING BREAK_GLASS qname args
  | WITH APPROVAL LAST
  | WITH KEY STRING
  | WITH CONTEXT fields
  | WITH PROPERTIES fields
  | WITH (DUTIES dutyWord (COMMA dutyWord)* | NO DUTIES)
  ;
// step_up           (what the enforcement point of a test carries out)
dutyWord : STEP_UP | SIGN | LOG | MASK | NOTIFY ;
// deny limit.exceeded by agents_daily   |   result          (a column of `with`)
outcome : verdict | name ;
// ask over_band by band_one bound by band_one.amount
verdict : ruling (BY qname (COMMA qname)*)? (BOUND BY qname)? (MUST expectedDuty)* ;
// step_up   |   sign meaning "approval"   |   mask salary           (what is left out may be anything)
expectedDuty : STEP_UP STRING? | SIGN (MEANING STRING)? | LOG | MASK word (COMMA word)* | NOTIFY ownerRef? ;
// permit   |   deny limit.exceeded   |   ask over_band
ruling : PERMIT | DENY reasonCode? | ASK qname ;
// limit.exceeded
reasonCode : word (DOT word)* ;

// ------------------------------------------------------------------------------------------------ expressions

// resource.region == person.region and not (person in team interns)          (tightest first; comparisons do not chain)
expr
  : atom                                                                # atomExpr
  | expr DOT word                                                       # fieldExpr
  | expr LBRACK STRING RBRACK                                           # indexExpr
  | expr LPAREN (expr (COMMA expr)*)? RPAREN                            # callExpr
  | expr STRING                                                         # entityExpr
  | MINUS expr                                                          # negateExpr
  | expr STAR expr                                                      # multiplyExpr
  | expr (PLUS | MINUS) expr                                            # addExpr
  | expr (LIKE STRING | MATCHES STRING | IS NOT? KNOWN)                 # askExpr
  | expr compare expr                                                   # compareExpr
  | NOT expr                                                            # notExpr
  | expr AND expr                                                       # andExpr
  | expr OR expr                                                        # orExpr
  | IF expr THEN expr ELSE expr                                         # ifExpr
  ;
// <=   |   not in   |   during
compare : EQEQ | NE | LT | LE | GT | GE | NOT? IN | DURING ;
// 5_000 USD   |   { emea, amer }   |   some e in resource.editors satisfies (e == person)   |   count(e in resource.editors where e.active)
atom
  : literal
  | (TEAM | ROLE)? name
  | (SOME | ALL) name IN expr SATISFIES LPAREN expr RPAREN
  | COUNT LPAREN expr (WHERE expr)? RPAREN
  | LBRACE (expr (COMMA expr)*)? RBRACE
  | LBRACE entry (COMMA entry)* RBRACE
  | LPAREN expr RPAREN
  ;
// team = "shop"   |   "app.kubernetes.io/name" = "web"      (a label's key may be any text)
entry : (word | STRING) ASSIGN expr ;
// 0.25   |   5_000 USD   |   "text"   |   30d   |   2026-11-20   |   09:00   |   true
literal : NUMBER CURRENCY? | STRING | DURATION | DATETIME | DATE | TIME | TRUE | FALSE ;

// ------------------------------------------------------------------------------------------------ names

// person.cost_center
path : name (DOT word)* ;
// acme.base.marketing
qname : name (DOT word)* ;
// marketing         (keywords that cannot be confused in a name's place are names too)
name
  : IDENT | CURRENCY | WEEKDAY
  | ACCEPTS | ACCOUNT | ACCOUNTABLE | ACTION | ACTIVITY | ADVANCE | AGENT | AGENTS | AGREE | APPLIES | APPROVAL | APPROVE
  | APPROVED | ASCII | ATTESTED | BE | BETWEEN | BOUND | BOUNDARY | BREAK_GLASS | CALENDAR | CANCEL | CAP | CHECKED
  | CLOSED | CONFIRM | CONSENT | CONTEXT | COVERS | DATA | DAY | DELEGATION | DUTIES | EVERY | EVERYONE | EXPIRES | FOLD | FORBID
  | GIVEN | GOOD | GRANT | GRANTED | HAND | HOP | HOPS | HOUR | IMPERSONATE | IMPORTED | INCLUDES | INSTANCES | ISSUER
  | JOINTLY | KEY | KEYED | KNOWN | LAST | LASTS | LIFTS | LIMIT | LIMITED | LIMITS | LINK | LIVES | LOG | MAKES | MANAGER
  | MASK | MEANING | MEASURE | MODE | MODES | MONTH | MOST | NEEDS | NEVER | NOTHING | NOTIFY | OBLIGATION | ON_BEHALF_OF
  | ONWARD | OPEN | OWNED | OWNER | PARTNER | PERSON | PERSONS | POLICY | PROPERTIES | PUBLIC | PURPOSE | QUARTER | REPEAT
  | REQUEST | REQUIRES | RESOURCE | REVIEW | REVIEWED | REVOKE | ROLE | ROLES | ROW | RUNS | SAME | SEPARATE | SIGN | SIGNS
  | SOURCE | STANDING | STEP_UP | SUPERSEDES | SYSTEM | TASK | TEAM | TEST | THAT | THE | TICKET | TIMES | TIMEZONE | TOTAL
  | TRUSTING | UNTIL | UP | USED | WAS | WEEK | WHO | YEAR | ZONE
  ;
// to                (after `.`, `has`, `can`, `may` and in parameter lists every word is a name)
word : name | reserved ;
// because           (words that are never a name on their own)
reserved
  : ALL | AND | ANY | AS | ASK | AT | BECAUSE | BEYOND | BY | CAN | CONST | COUNT | DENY | DOES | DURING | EACH | ELSE | ENUM
  | EVERYTHING | EXPECT | FALSE | FOR | FROM | FUNCTION | HAS | IF | IMPORT | IN | IS | LIKE | MATCHES | MAY | MUST | NO | NOT
  | OF | ON | ONLY | OR | PACKAGE | PER | PERMIT | RECORD | SATISFIES | SET | SOME | THEN | TO | TRUE | UNLESS | USING | VIA
  | WHEN | WHERE | WITH | WITHIN
  ;
