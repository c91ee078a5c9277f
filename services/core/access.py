"""Who may do what: the table of permissions by role, and the actor passed to every service."""

from dataclasses import dataclass, field
from enum import StrEnum

from db.base.scope import Scope
from db.models import Role
from services.core.errors import Forbidden, NotFound


class Permission(StrEnum):
    """Everything that can be allowed, as `noun:verb`."""

    AGENTS_READ = "agents:read"
    AGENTS_WRITE = "agents:write"
    API_KEYS_WRITE = "api_keys:write"
    AUDIT_EXPORT = "audit:export"
    AUDIT_READ = "audit:read"
    CAMPAIGNS_READ = "campaigns:read"
    CAMPAIGNS_WRITE = "campaigns:write"
    CONNECTIONS_READ = "connections:read"
    CONNECTIONS_WRITE = "connections:write"
    HEALTH_READ = "health:read"
    HEALTH_WRITE = "health:write"
    NUMBERS_ADD = "numbers:add"
    NUMBERS_BUY = "numbers:buy"
    NUMBERS_EXPORT = "numbers:export"
    NUMBERS_READ = "numbers:read"
    NUMBERS_RECONCILE = "numbers:reconcile"
    NUMBERS_RELEASE = "numbers:release"
    NUMBERS_REMOVE = "numbers:remove"
    NUMBERS_WRITE = "numbers:write"
    SETTINGS_READ = "settings:read"
    SETTINGS_WRITE = "settings:write"
    SUPERADMINS_WRITE = "superadmins:write"
    TENANTS_READ_ALL = "tenants:read_all"
    TENANTS_WRITE = "tenants:write"
    USERS_READ = "users:read"
    USERS_WRITE = "users:write"


_READS = frozenset(
    {
        Permission.AGENTS_READ,
        Permission.AUDIT_EXPORT,
        Permission.AUDIT_READ,
        Permission.CAMPAIGNS_READ,
        Permission.CONNECTIONS_READ,
        Permission.HEALTH_READ,
        Permission.NUMBERS_EXPORT,
        Permission.NUMBERS_READ,
        Permission.SETTINGS_READ,
    }
)
_OPERATES = _READS | {
    Permission.AGENTS_WRITE,
    Permission.CAMPAIGNS_WRITE,
    Permission.HEALTH_WRITE,
    Permission.NUMBERS_ADD,
    Permission.NUMBERS_BUY,
    Permission.NUMBERS_RECONCILE,
    Permission.NUMBERS_RELEASE,
    Permission.NUMBERS_REMOVE,
    Permission.NUMBERS_WRITE,
}

ALLOWED: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: _READS,
    Role.OPERATOR: _OPERATES,
    Role.ADMIN: _OPERATES
    | {
        Permission.API_KEYS_WRITE,
        Permission.CONNECTIONS_WRITE,
        Permission.SETTINGS_WRITE,
        Permission.USERS_READ,
        Permission.USERS_WRITE,
    },
}
"""What each role may do in its tenant. What is not here is denied; a superadmin may do everything."""


@dataclass(frozen=True)
class Workspace:
    """A tenant that a user can work in, and the role there."""

    id: int
    name: str
    role: Role
    time_zone: str = "UTC"


@dataclass(frozen=True)
class Actor:
    """The signed-in user, in the tenant that was chosen. `tenant_id` is None for none, or for all."""

    user_id: int
    username: str
    name: str
    is_superadmin: bool = False
    tenant_id: int | None = None
    role: Role | None = None
    all_tenants: bool = False
    must_change_password: bool = False
    workspaces: tuple[Workspace, ...] = field(default=(), compare=False)
    suspended: tuple[tuple[int, str], ...] = field(default=(), compare=False)
    """Id and name of the actor's suspended tenants."""
    granted: frozenset[Permission] | None = None
    """For a program with an API key: all that it may do."""
    api_key_id: int | None = None
    """The key that a program came with."""

    @property
    def scope(self) -> Scope:
        """The tenants in this actor's scope. Raises NotFound when none is chosen."""
        if self.all_tenants and self.is_superadmin:
            return Scope(None)
        if self.tenant_id is None:
            raise NotFound("Select a tenant to view and manage phone numbers.")
        return Scope(self.tenant_id)

    @property
    def has_scope(self) -> bool:
        """Whether a tenant, or all of them, is chosen."""
        return self.tenant_id is not None or (self.all_tenants and self.is_superadmin)

    @property
    def may_choose_tenants(self) -> bool:
        """Whether there is more than one tenant to choose from."""
        return self.is_superadmin or len(self.workspaces) > 1

    def may(self, permission: Permission) -> bool:
        """Return whether the actor has *permission* where it works now."""
        if self.granted is not None:
            return permission in self.granted
        if self.must_change_password:
            return False
        if self.is_superadmin:
            return True
        return self.role is not None and permission in ALLOWED[self.role]


def require(actor: Actor, permission: Permission) -> None:
    """Raise Forbidden unless *actor* has *permission*."""
    if actor.must_change_password:
        raise Forbidden("Change your one-time password first.")
    if not actor.may(permission):
        raise Forbidden("Your role does not allow this. Ask an admin of the tenant.")


def require_tenant(actor: Actor) -> int:
    """Return the one tenant that *actor* works in. Raises InvalidInput when it looks at all of them."""
    if actor.tenant_id is None:
        raise InvalidTenant
    return actor.tenant_id


class InvalidTenant(NotFound):
    """Something that belongs to one tenant was asked for while none is chosen."""

    def __init__(self) -> None:
        super().__init__("Choose one tenant in the sidebar first.")
