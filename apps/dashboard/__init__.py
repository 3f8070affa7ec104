"""Everything a browser sees: function views, actions, one consumer and the template tags."""
