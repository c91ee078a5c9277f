"""A mypy plugin: on the class of a table, a field is its column. SQLModel types it as its Python value."""

from collections.abc import Callable

from mypy.nodes import TypeInfo, Var
from mypy.plugin import AttributeContext, Plugin
from mypy.types import Instance, Type

_TABLE = "sqlmodel.main.SQLModel"
_COLUMN = "sqlalchemy.orm.attributes.InstrumentedAttribute"


class ColumnPlugin(Plugin):
    """Types `PhoneNumber.e164` as `InstrumentedAttribute[str]`; `number.e164` stays `str`."""

    def get_class_attribute_hook(self, fullname: str) -> Callable[[AttributeContext], Type] | None:
        owner, _, name = fullname.rpartition(".")
        found = self.lookup_fully_qualified(owner)
        table = found.node if found else None
        if not isinstance(table, TypeInfo) or not table.has_base(_TABLE):
            return None
        field = table.get(name)
        if field is None or not isinstance(field.node, Var) or field.node.is_classvar or name.startswith("__"):
            return None
        return self._column

    def _column(self, ctx: AttributeContext) -> Type:
        found = self.lookup_fully_qualified(_COLUMN)
        if found is None or not isinstance(found.node, TypeInfo):
            return ctx.default_attr_type
        return Instance(found.node, [ctx.default_attr_type])


def plugin(version: str) -> type[Plugin]:
    return ColumnPlugin
