// The words of DPL: how the text of a `.dpl` file is cut into tokens.
//
// UTF-8 without a byte order mark. Identifiers are ASCII; anything else lives in strings and comments. There are no
// significant newlines and no semicolons: a clause ends where the next keyword begins (see README.md).
// Tokens that start with BAD_ are slips we recognise in order to say what is wrong; no parser rule uses them.
lexer grammar DplLexer;

channels { COMMENTS }

// file and vocabulary
PACKAGE      : 'package' ;
OWNED        : 'owned' ;
BY           : 'by' ;
IMPORT       : 'import' ;
AS           : 'as' ;
TIMEZONE     : 'timezone' ;
REQUIRES     : 'requires' ;
CONST        : 'const' ;
ENUM         : 'enum' ;
FUNCTION     : 'function' ;
CALENDAR     : 'calendar' ;
ZONE         : 'zone' ;
OPEN         : 'open' ;
CLOSED       : 'closed' ;

// organisation and systems
PERSON       : 'person' ;
TEAM         : 'team' ;
ROLE         : 'role' ;
INCLUDES     : 'includes' ;
CONTEXT      : 'context' ;
SYSTEM       : 'system' ;
BOUNDARY     : 'boundary' ;
ACCOUNT      : 'account' ;
KEYED        : 'keyed' ;
LINK         : 'link' ;
CHECKED      : 'checked' ;
RESOURCE     : 'resource' ;
ACTIVITY     : 'activity' ;
MEASURE      : 'measure' ;

// shape of a resource
KEY          : 'key' ;
FOLD         : 'fold' ;
ASCII        : 'ascii' ;
HAS          : 'has' ;
KNOWN        : 'known' ;
WITHIN       : 'within' ;
SOURCE       : 'source' ;
CAN          : 'can' ;
MAKES        : 'makes' ;
IS           : 'is' ;
MUST         : 'must' ;
BE           : 'be' ;
LIMITED      : 'limited' ;
LIMITS       : 'limits' ;
AGREE        : 'agree' ;
REQUEST      : 'request' ;

// statements
GRANT        : 'grant' ;
LIMIT        : 'limit' ;
FORBID       : 'forbid' ;
AGENT        : 'agent' ;
DELEGATION   : 'delegation' ;
TASK         : 'task' ;
APPROVAL     : 'approval' ;
OBLIGATION   : 'obligation' ;
SEPARATE     : 'separate' ;
BREAK_GLASS  : 'break_glass' ;
PARTNER      : 'partner' ;
DATA         : 'data' ;
TEST         : 'test' ;

// who and what
TO           : 'to' ;
FROM         : 'from' ;
ON           : 'on' ;
IN           : 'in' ;
OF           : 'of' ;
MAY          : 'may' ;
ANY          : 'any' ;
ACTION       : 'action' ;
EVERYTHING   : 'everything' ;
ASK          : 'ask' ;
EVERYONE     : 'everyone' ;
PUBLIC       : 'public' ;
THE          : 'the' ;
MANAGER      : 'manager' ;
WHERE        : 'where' ;

// terms
OWNER        : 'owner' ;
JOINTLY      : 'jointly' ;
BECAUSE      : 'because' ;
TICKET       : 'ticket' ;
REVIEW       : 'review' ;
EVERY        : 'every' ;
EXPIRES      : 'expires' ;
GRANTED      : 'granted' ;
REVIEWED     : 'reviewed' ;
APPROVED     : 'approved' ;
IMPORTED     : 'imported' ;
SUPERSEDES   : 'supersedes' ;
TRUSTING     : 'trusting' ;
WAS          : 'was' ;

// limits
EACH         : 'each' ;
PER          : 'per' ;
HOUR         : 'hour' ;
DAY          : 'day' ;
WEEK         : 'week' ;
MONTH        : 'month' ;
QUARTER      : 'quarter' ;
YEAR         : 'year' ;
TOTAL        : 'total' ;
FOR          : 'for' ;
NO           : 'no' ;
BEYOND       : 'beyond' ;
THAT         : 'that' ;
UP           : 'up' ;
APPLIES      : 'applies' ;
COVERS       : 'covers' ;
CAP          : 'cap' ;
UNLESS       : 'unless' ;

// agents
ACCOUNTABLE  : 'accountable' ;
ELSE         : 'else' ;
PURPOSE      : 'purpose' ;
RUNS         : 'runs' ;
ATTESTED     : 'attested' ;
MODES        : 'modes' ;
IMPERSONATE  : 'impersonate' ;
ON_BEHALF_OF : 'on_behalf_of' ;
STANDING     : 'standing' ;
LIVES        : 'lives' ;
AT           : 'at' ;
MOST         : 'most' ;
INSTANCES    : 'instances' ;
MODE         : 'mode' ;
ONLY         : 'only' ;
ONWARD       : 'onward' ;
HOP          : 'hop' ;
HOPS         : 'hops' ;
CONSENT      : 'consent' ;
POLICY       : 'policy' ;
LASTS        : 'lasts' ;
NOTHING      : 'nothing' ;

// people who decide
NEVER        : 'never' ;
GOOD         : 'good' ;
SIGNS        : 'signs' ;
STEP_UP      : 'step_up' ;
SIGN         : 'sign' ;
MEANING      : 'meaning' ;
LOG          : 'log' ;
MASK         : 'mask' ;
NOTIFY       : 'notify' ;
DUTIES       : 'duties' ;
BETWEEN      : 'between' ;
SAME         : 'same' ;
ROLES        : 'roles' ;
WHO          : 'who' ;
LIFTS        : 'lifts' ;
NEEDS        : 'needs' ;
ISSUER       : 'issuer' ;
ACCEPTS      : 'accepts' ;
AGENTS       : 'agents' ;
PERSONS      : 'persons' ;

// facts and tests
UNTIL        : 'until' ;
USED         : 'used' ;
ADVANCE      : 'advance' ;
GIVEN        : 'given' ;
REVOKE       : 'revoke' ;
REPEAT       : 'repeat' ;
TIMES        : 'times' ;
WITH         : 'with' ;
ROW          : 'row' ;
WHEN         : 'when' ;
EXPECT       : 'expect' ;
CONFIRM      : 'confirm' ;
CANCEL       : 'cancel' ;
APPROVE      : 'approve' ;
HAND         : 'hand' ;
LAST         : 'last' ;
DOES         : 'does' ;
USING        : 'using' ;
VIA          : 'via' ;
PERMIT       : 'permit' ;
DENY         : 'deny' ;
BOUND        : 'bound' ;
PROPERTIES   : 'properties' ;

// expressions
IF           : 'if' ;
THEN         : 'then' ;
AND          : 'and' ;
OR           : 'or' ;
NOT          : 'not' ;
LIKE         : 'like' ;
MATCHES      : 'matches' ;
DURING       : 'during' ;
SOME         : 'some' ;
ALL          : 'all' ;
SATISFIES    : 'satisfies' ;
COUNT        : 'count' ;
TRUE         : 'true' ;
FALSE        : 'false' ;
SET          : 'set' ;
RECORD       : 'record' ;
// days of the week, for calendars: `open mon to fri 08:00 to 18:00`
WEEKDAY : 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun' ;

// ---- punctuation
LBRACE : '{' ;    RBRACE : '}' ;
LPAREN : '(' ;    RPAREN : ')' ;
LBRACK : '[' ;    RBRACK : ']' ;
COMMA  : ',' ;    COLON  : ':' ;    DOT   : '.' ;    QMARK : '?' ;
EQEQ   : '==' ;   NE     : '!=' ;
LE     : '<=' ;   GE     : '>=' ;   LT    : '<' ;    GT    : '>' ;
ASSIGN : '=' ;    PLUS   : '+' ;    MINUS : '-' ;    STAR  : '*' ;

// ---- values
// 2026-11-20T15:00Z   2026-11-20T15:00:30-05:00   (the offset is compulsory)
DATETIME : FULLDATE 'T' D D ':' D D (':' D D)? ('Z' | [+-] D D ':' D D) ;
// 2026-11-20
DATE     : FULLDATE ;
// 09:00
TIME     : D D ':' D D ;
// 30s   15m   8h   90d   12w   1h30m   (fixed lengths; there are no months)
DURATION : (D+ ('ms' | 's' | 'm' | 'h' | 'd' | 'w'))+ ;
// 5_000   0.25
NUMBER   : D [0-9_]* ('.' D+)? ;
// "text" with \" \\ \n \t \u{1F600}
STRING   : '"' ( '\\' ~[\r\n] | ~["\\\r\n] )* '"' ;
// USD: three capitals are a currency after a number, and a name elsewhere
CURRENCY : [A-Z] [A-Z] [A-Z] ;
IDENT    : [A-Za-z_] [A-Za-z0-9_]* ;

// ---- comments and blanks
// Everything but blanks is kept: the formatter prints comments back, `///` travels into the rationale.
DOC_COMMENT   : '///' ~[\r\n]* -> channel(COMMENTS) ;
LINE_COMMENT  : '//' ~[\r\n]* -> channel(COMMENTS) ;
BLOCK_COMMENT : '/*' ( ~'*' | '*'+ ~[*/] )* '*'+ '/' -> channel(COMMENTS) ;
BLANK         : [ \t\r\n]+ -> skip ;

// ---- slips
BAD_STRING   : '"' ( '\\' ~[\r\n] | ~["\\\r\n] )* '\\'? ;
BAD_QUOTES   : '\'' ~['\r\n]* '\'' | [\u201C\u201D\u201E] ~[\u201C\u201D\u201E\r\n]* [\u201C\u201D] ;
BAD_COMMENT  : '/*' ( ~'*' | '*'+ ~[*/] )* '*'* ;
BAD_DATETIME : FULLDATE 'T' [0-9:.]* ;
BAD_NUMBER   : D [0-9_]* ('.' D+)? [A-Za-z_] [A-Za-z0-9_]* ;
BAD_AND      : '&&' | '&' ;
BAD_OR       : '||' | '|' ;
BAD_NOT      : '!' ;
BAD_SEMI     : ';' ;
BAD_CHAR     : . ;

fragment D        : [0-9] ;
fragment FULLDATE : D D D D '-' D D '-' D D ;
